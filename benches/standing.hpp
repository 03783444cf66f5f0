// Programs that stay: one is filled once, says that it is ready, and measures when its turn comes. So sides
// of ten million pairs can take turns without being filled for each.
#pragma once

#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "common.hpp"

namespace bench {

inline void say(const std::string &json) { std::cout << json << std::endl; }

/// Calls `measure(what, count, seed)` for each line "WHAT COUNT SEED" on standard input; it gives nanoseconds.
template <class Measure>
void take_turns(Measure measure) {
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream words(line);
        std::string what;
        std::size_t count = 0;
        unsigned long seed = 0;
        require(static_cast<bool>(words >> what >> count >> seed), "not a turn: " + line);
        say("{\"ns\": " + std::to_string(measure(what, count, seed)) + "}");
    }
}

/// Bytes of this process that are in memory.
inline double resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    double size = 0, resident = 0;
    require(static_cast<bool>(statm >> size >> resident), "/proc/self/statm cannot be read");
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// What is mapped with advice to use huge pages: the bytes in memory, and those that are in huge pages.
struct Advised {
    double resident = 0, huge = 0;

    Advised() {
        std::ifstream smaps("/proc/self/smaps");
        double mapping = 0, in_huge_pages = 0;
        for (std::string line; std::getline(smaps, line);) {
            std::istringstream words(line);
            std::string name;
            words >> name;
            if (name == "Rss:") words >> mapping;
            if (name == "AnonHugePages:") words >> in_huge_pages;
            if (name == "VmFlags:" && line.find(" hg") != std::string::npos) {
                resident += mapping * 1024;
                huge += in_huge_pages * 1024;
            }
        }
    }
};

}  // namespace bench
