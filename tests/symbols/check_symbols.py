# SPDX-License-Identifier: MIT
"""check_symbols.py LIBPX TABLE: what libpx.so exports and needs, against preload/interposed.def.

A preload that needs more than libc, or exports more or less than its table, is loaded into every
program all the same: only this test says so."""

import re
import subprocess
import sys

# Debian 12 has 2.36, RHEL 9 and Ubuntu 22.04 have 2.34 and 2.35.
NEWEST_GLIBC = (2, 34)

# Other names of the table's calls that libc exports and libpx.so does not.
NOT_COVERED = {
    "__socket": "GLIBC_PRIVATE: no program can be linked with it",
    "__sendmmsg": "GLIBC_PRIVATE: no program can be linked with it",
    "__write_nocancel": "GLIBC_PRIVATE: no program can be linked with it",
    "__libc_fcntl64": "GLIBC_PRIVATE: no program can be linked with it",
    "__libc_res_nquery": "GLIBC_PRIVATE: no program can be linked with it",
    "__libc_res_nsearch": "GLIBC_PRIVATE: no program can be linked with it",
}

# Everything that is called is safe in signal handlers and after fork, but for dlsym and getauxval,
# which are called while the library starts, and what allocates, frees and looks up: getaddrinfo(3)
# and its kin do that themselves. So do they wait, in poll, where a thread can be cancelled. No clock and no file is asked by libc's calls: other libraries
# fake those.
ALLOWED = {
    "_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize", "__gmon_start__",
    "__cmsg_nxthdr", "__errno_location", "__stack_chk_fail",
    "htons", "ntohl", "ntohs", "inet_ntop", "inet_pton",
    "memchr", "memcmp", "memcpy", "memmove", "memset", "strlen", "strnlen",
    "__h_errno_location", "free", "freeaddrinfo", "malloc",
    "__nss_configure_lookup", "__res_init", "__res_state", "secure_getenv",
    "__pthread_register_cancel", "__pthread_unregister_cancel", "__pthread_unwind_next",
    "__sigsetjmp", "poll",
    "if_indextoname", "if_nametoindex",
    "dlsym", "getauxval", "madvise", "mmap", "munmap", "syscall",
}  # fmt: skip


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def table_names(path, kinds="CALL|NAMES|ALIAS|NAMES_ALIAS"):
    with open(path, encoding="utf-8") as table:
        return re.findall(rf"^PX_(?:{kinds})\((\w+)", table.read(), re.MULTILINE)


def dynamic_symbols(path, *options):
    """(name, version or None) of each."""
    symbols = []
    for line in output("nm", "-D", *options, path).splitlines():
        name, _, version = line.split()[-1].partition("@")
        symbols.append((name, version.lstrip("@") or None))
    return symbols


def libc_path():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        return next(line.split()[-1] for line in maps if re.search(r"/libc[.-][^/]*so", line))


def variants(names, exported):
    """Exported names that are a table's name with an affix of libc's."""
    stem = "|".join(sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"_*(?:libc_)?(?:{stem})(?:64|_2|_chk|_time64|_nocancel)*")
    return {name for name in exported if pattern.fullmatch(name)}


def check_exports(libpx, names):
    """`names`: the calls, and the functions of the name service."""
    exported = dynamic_symbols(libpx, "--defined-only")
    if sorted(names) != sorted(name for name, _ in exported):
        difference = set(names) ^ {name for name, _ in exported}
        yield f"the table and the exports differ: {sorted(difference)}"
    if any(version for _, version in exported):
        yield "an export has a version: it interposes nothing"


def check_variants(names):
    libc = {name for name, _ in dynamic_symbols(libc_path(), "--defined-only")}
    found = variants(names, libc)
    if not set(names) <= libc | {"pidfd_getfd"}:
        yield f"libc does not export {sorted(set(names) - libc)}"
    for name in sorted(found - set(names) - NOT_COVERED.keys()):
        yield f"libc exports {name}: neither in the table nor in NOT_COVERED"
    for name in sorted(NOT_COVERED.keys() & set(names)):
        yield f"{name} is in the table and in NOT_COVERED"


def check_needs(libpx):
    for name, version in dynamic_symbols(libpx, "--undefined-only"):
        if name not in ALLOWED:
            yield f"calls {name}, which is not in ALLOWED"
        numbers = tuple(int(part) for part in re.findall(r"\d+", version or "")[:2])
        if numbers > NEWEST_GLIBC:
            yield f"needs {name}@{version}, newer than {NEWEST_GLIBC}"


def check_dynamic_section(libpx):
    dynamic = output("readelf", "--wide", "--dynamic", libpx)
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic)
    if needed != ["libc.so.6"]:
        yield f"needs {needed}, not libc.so.6 alone"
    flags = re.search(r"\(FLAGS_1\)\s+Flags: (.*)", dynamic)
    for flag in ("NOW", "NODELETE", "INITFIRST"):
        if not flags or flag not in flags[1].split():
            yield f"is not linked with {flag}"
    # The C runtime's own destructor; a static object's would run while others still connect.
    fini = re.search(r"\(FINI_ARRAYSZ\)\s+(\d+)", dynamic)
    if fini and int(fini[1]) > 8:
        yield "has static destructors"
    # The name of the service, by which libc finds it in a process that has it already.
    if "Library soname: [libnss_px.so.2]" not in dynamic:
        yield "is not named as the name service px"
    if re.search(r"^\s*TLS\s", output("readelf", "--wide", "--segments", libpx), re.MULTILINE):
        yield "has thread-local storage"


def main():
    libpx, table = sys.argv[1:]
    names, services = table_names(table), table_names(table, "SERVICE")
    complaints = [
        *([] if names else ["the table is empty"]),
        *check_exports(libpx, names + services),
        *check_variants(names),
        *check_needs(libpx),
        *check_dynamic_section(libpx),
    ]
    for complaint in complaints:
        print(f"libpx.so: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
