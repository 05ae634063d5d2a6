// SPDX-License-Identifier: MIT
#include "broker/publish/plan_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "broker/publish/health_writer.h"
#include "plan/section.h"
#include "plan/wire.h"

namespace px::broker {
namespace {

// Whether the open file can be gone on with: this user's own, alone, whole, of this layout.
bool adoptable(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_uid != geteuid() ||
      status.st_nlink != 1 || status.st_size != static_cast<off_t>(plan::kFileSize)) {
    return false;
  }
  std::uint32_t words[2];
  return pread(fd, words, sizeof words, 0) == sizeof words && words[0] == plan::kMagic &&
         words[1] == plan::kLayoutVersion;
}

// Errors are the system's, in errno.
bool write_whole(int fd, std::span<const std::byte> bytes, std::size_t offset) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::size_t>(written);
  }
  return true;
}

// A new file is completed under another name, so that no program ever maps an unfinished one.
Expected<Fd> create(const std::filesystem::path& path, const std::string& profile) {
  const std::string unfinished = path.string() + ".new";
  unlink(unfinished.c_str());
  Fd fd(open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return fail_errno("cannot create " + unfinished);
  std::vector<std::byte> page(plan::kHeaderSize);
  const std::uint32_t words[2] = {plan::kMagic, plan::kLayoutVersion};
  std::memcpy(page.data(), words, sizeof words);
  plan::fill_text({reinterpret_cast<char*>(page.data()) + offsetof(plan::FileHeader, profile),
                   plan::kProfileNameSize},
                  profile);
  // Whatever the umask: programs of every user read the plan.
  if (fchmod(fd.get(), 0644) != 0 || !write_whole(fd.get(), page, 0) ||
      ftruncate(fd.get(), static_cast<off_t>(plan::kFileSize)) != 0 ||
      rename(unfinished.c_str(), path.c_str()) != 0) {
    return fail_errno("cannot write " + path.string());
  }
  return fd;
}

}  // namespace

Expected<std::unique_ptr<PlanFile>> PlanFile::open(const std::filesystem::path& directory,
                                                   const std::string& profile) {
  const auto path = directory / (profile + plan::kPlanSuffix);
  std::unique_ptr<PlanFile> file(new PlanFile);
  file->writer_ = Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file->writer_ || !adoptable(file->writer_.get())) {
    PX_ASSIGN_OR_RETURN(file->writer_, create(path, profile));
  }
  file->reader_ = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file->reader_) return fail_errno("cannot open " + path.string());
  // Only the header is written through the mapping; the halves are written with pwrite, since a
  // full file system answers that with an error and a store with SIGBUS.
  file->mapping_ =
      mmap(nullptr, plan::kFileSize, PROT_READ | PROT_WRITE, MAP_SHARED, file->writer_.get(), 0);
  if (file->mapping_ == MAP_FAILED) {
    file->mapping_ = nullptr;
    return fail_errno("cannot map " + path.string());
  }
  return file;
}

PlanFile::~PlanFile() {
  if (mapping_ != nullptr) munmap(mapping_, plan::kFileSize);
}

plan::FileHeader& PlanFile::header() const {
  return *static_cast<plan::FileHeader*>(mapping_);
}

plan::Plan PlanFile::plan() const {
  return *plan::Plan::from_mapping(mapping_, plan::kFileSize);
}

Expected<bool> PlanFile::prepare(std::span<const std::byte> plan) {
  if (current_.size() == plan.size() &&
      std::memcmp(current_.data(), plan.data(), plan.size()) == 0) {
    prepared_.clear();
    return false;
  }
  const std::uint64_t next = header().published.load(std::memory_order_relaxed) + 1;
  header().writing.store(next, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const std::size_t start = plan::kHeaderSize + (next % 2) * plan::kHalfSize;
  if (!write_whole(writer_.get(), plan, start)) return fail_errno("cannot write the plan");
  prepared_.assign(plan.begin(), plan.end());
  return true;
}

void PlanFile::commit() {
  if (prepared_.empty()) return;
  header().published.store(header().writing.load(std::memory_order_relaxed),
                           std::memory_order_release);
  current_.swap(prepared_);
  prepared_.clear();
}

bool PlanFile::names_mark(std::uint32_t mark) const {
  if (mark == 0 || current_.size() < sizeof(plan::PlanHeader)) return false;
  const auto* header = reinterpret_cast<const plan::PlanHeader*>(current_.data());
  if (header->listen_mark == mark) return true;
  const auto entries = plan::elements<plan::Entry>(current_, header->entries);
  return std::any_of(entries.begin(), entries.end(),
                     [&](const plan::Entry& entry) { return entry.mark == mark; });
}

void PlanFile::announce(std::uint64_t instance) {
  header().broker_instance.store(instance, std::memory_order_relaxed);
}

void PlanFile::record_health(const plan::HealthKey& key, const plan::HealthFinding& finding,
                             std::uint64_t now_ms) {
  write_health(header().health, key, finding, now_ms);
}

void PlanFile::forget_health() {
  header().health.epoch.fetch_add(1, std::memory_order_release);
}

void PlanFile::set_recheck(std::uint64_t number) {
  header().recheck.store(number, std::memory_order_release);
}

std::uint64_t PlanFile::recheck() const {
  return header().recheck.load(std::memory_order_relaxed);
}

void PlanFile::beat(std::uint64_t now_ms) {
  header().heartbeat.store(now_ms, std::memory_order_relaxed);
}

}  // namespace px::broker
