// SPDX-License-Identifier: MIT
// The smallest program, linked in the ways that px-exec has to tell apart.
int main(void) {
  return 0;
}
