// SPDX-License-Identifier: MIT
#pragma once

/// @file DuckDB in the same process: its shared library is loaded at run time, and tables go to and fro over the Arrow C
/// interfaces.
///
///     duckdb db("libduckdb.so");
///     db.create("t", some_table);
///     table counts = db.query("SELECT k, count(*) FROM t GROUP BY k");

#include <edge/frame/arrow.hpp>

#include <dlfcn.h>

#include <string>
#include <utility>
#include <vector>

/// The functions that are needed of DuckDB's C interface, as its reference gives them (duckdb.org/docs/stable/clients/c/api).
class duckdb {
public:
    explicit duckdb(const char* library) : library_(dlopen(library, RTLD_NOW | RTLD_LOCAL)) {
        if (library_ == nullptr) throw edge::io_error(edge::message(library, ": ", dlerror()));
        void* database = nullptr;
        find<int (*)(const char*, void**)>("duckdb_open")(nullptr, &database);
        find<int (*)(void*, void**)>("duckdb_connect")(database, &connection_);
    }

    /// A view of that name of what the stream gives, once.
    void scan(const char* name, edge::frame::arrow_stream& stream) {
        if (find<int (*)(void*, const char*, void*)>("duckdb_arrow_scan")(connection_, name, stream.get()) != 0)
            throw edge::argument_error("duckdb_arrow_scan fails");
    }

    /// A table of that name, replaced. Strings go as plain ones.
    void create(const std::string& name, const edge::frame::table& t) {
        edge::frame::table plain;
        for (std::size_t i = 0; i < t.names().size(); ++i) plain.add(t.names()[i], edge::frame::plain(t.columns()[i]));
        edge::frame::arrow_stream stream = edge::frame::to_arrow_stream(plain, 2000, {.mark_utc = false});
        scan("arrow_of_a_table", stream);
        (void)query("CREATE OR REPLACE TABLE " + name + " AS SELECT * FROM arrow_of_a_table");
    }

    /// The result; without columns if it has no rows.
    edge::frame::table query(const std::string& sql) {
        void* result = nullptr;
        const int state =
            find<int (*)(void*, const char*, void**)>("duckdb_query_arrow")(connection_, sql.c_str(), &result);
        if (state != 0)
            throw edge::argument_error(
                edge::message(sql, ": ", find<const char* (*)(void*)>("duckdb_query_arrow_error")(result)));
        std::vector<edge::frame::table> parts;
        for (;;) {
            edge::frame::arrow_data data;
            void* schema = data.schema();
            void* array = data.array();
            find<int (*)(void*, void**)>("duckdb_query_arrow_schema")(result, &schema);
            find<int (*)(void*, void**)>("duckdb_query_arrow_array")(result, &array);
            if (data.array()->release == nullptr) break;
            parts.push_back(edge::frame::table_from_arrow(std::move(data)));
        }
        find<void (*)(void**)>("duckdb_destroy_arrow")(&result);
        return edge::frame::concat(parts);
    }

private:
    template <class F>
    F find(const char* name) {
        void* found = dlsym(library_, name);
        if (found == nullptr) throw edge::unsupported_error(edge::message("DuckDB has no ", name));
        return reinterpret_cast<F>(found);
    }

    void* library_;
    void* connection_ = nullptr;
};
