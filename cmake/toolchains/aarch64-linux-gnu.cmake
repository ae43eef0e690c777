# 64-bit Arm Linux from another machine, with Debian's cross compiler: g++-aarch64-linux-gnu, qemu-user-static.
# Header libraries come from /usr/include as they are; libsnappy-dev:arm64 and libzstd-dev:arm64 are used if installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static -L /usr/aarch64-linux-gnu)
