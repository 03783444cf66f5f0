// P2: the containers of the standard library.

#include <unordered_map>
#include <unordered_set>

#include "nested_maps.hpp"

int main(int count, char **arguments) {
    bench::check_nested_maps<std::unordered_map<std::string, std::unordered_set<std::string>>>(count, arguments);
}
