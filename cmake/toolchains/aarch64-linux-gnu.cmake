# 64-bit Arm Linux from another machine, with Debian's cross compiler: g++-aarch64-linux-gnu, qemu-user-static.
# Header libraries come from /usr/include as they are; libsnappy-dev:arm64 and libzstd-dev:arm64 are used if installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# The loader and the C library must come from one place, also where the machine has packages for arm64 of its own: with
# one from each, starting a thread never returns.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib)
