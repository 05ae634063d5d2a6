// SPDX-License-Identifier: MIT
// A directory of a test's own, gone with it.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace px {

class TemporaryFiles {
 public:
  TemporaryFiles() {
    std::string name = testing::TempDir() + "px-test-XXXXXX";
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }
  ~TemporaryFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  TemporaryFiles(const TemporaryFiles&) = delete;
  TemporaryFiles& operator=(const TemporaryFiles&) = delete;

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  [[nodiscard]] std::string path(std::string_view name) const {
    return (directory_ / name).string();
  }

  // Its path.
  std::string write(std::string_view name, std::string_view content, mode_t mode = 0755) const {
    std::string file = path(name);
    std::ofstream(file, std::ios::binary) << content;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }

 private:
  std::filesystem::path directory_;
};

inline std::string content_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  EXPECT_TRUE(stream) << file;
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace px
