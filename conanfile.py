from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.layout import basic_layout
from conan.tools.files import copy, load
import os
import re

required_conan_version = ">=2.0"


class EdgeConan(ConanFile):
    name = "edge"
    description = "Header-only C++20 library for edge AI, from sensor to decision"
    license = "MIT"
    topics = ("header-only", "simd", "quantization", "onnx", "parquet", "imu", "edge-ai")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    # An option adds the library that a part needs; the headers are the same bytes for everyone.
    options = {"onnx": [True, False], "snappy": [True, False], "zlib": [True, False], "zstd": [True, False]}
    default_options = {"onnx": True, "snappy": True, "zlib": True, "zstd": True}
    exports_sources = "CMakeLists.txt", "LICENSE", "cmake/*", "include/*"
    no_copy_source = True
    test_package_folder = "tests/package/conan"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include", "edge", "core", "version.hpp"))
        self.version = re.search(r'version = "([0-9.]+)"', header).group(1)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("xsimd/[>=8.1 <15]", transitive_headers=True)
        self.requires("tl-expected/[>=1.0 <2]", transitive_headers=True)
        if self.options.onnx:
            self.requires("protozero/[>=1.7 <2]", transitive_headers=True)
        if self.options.snappy:
            self.requires("snappy/[>=1.1.9 <2]", transitive_headers=True, transitive_libs=True)
        if self.options.zlib:
            self.requires("zlib/[>=1.2.11 <2]", transitive_headers=True, transitive_libs=True)
        if self.options.zstd:
            self.requires("zstd/[>=1.5 <2]", transitive_headers=True, transitive_libs=True)

    def package_id(self):
        self.info.clear()

    def validate(self):
        check_min_cppstd(self, 20)
        least = {"gcc": 11, "clang": 14}.get(str(self.settings.compiler))
        if least and int(str(self.settings.compiler.version).split(".")[0]) < least:
            raise ConanInvalidConfiguration(f"edge needs {self.settings.compiler} {least} or newer")

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*.hpp", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
        self.cpp_info.set_property("cmake_file_name", "edge")
        self.cpp_info.set_property("cmake_target_name", "edge::all")
        self.cpp_info.set_property("pkg_config_name", "edge")
        # The targets of edge's own CMake package: edge::edge, and edge::NAME for what an optional part needs.
        self._component("edge", ["include"], ["xsimd::xsimd", "tl-expected::tl-expected"])
        for name, library in {"onnx": "protozero", "snappy": "snappy", "zlib": "zlib", "zstd": "zstd"}.items():
            if self.options.get_safe(name):
                self._component(name, [], [f"{library}::{library}"])

    def _component(self, name, include_folders, requirements):
        component = self.cpp_info.components[name]
        component.includedirs = include_folders
        component.bindirs = []
        component.libdirs = []
        component.requires = requirements
        component.set_property("cmake_target_name", f"edge::{name}")
