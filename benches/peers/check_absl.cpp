// P2: the containers of abseil.

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include "nested_maps.hpp"

int main(int count, char **arguments) {
    bench::check_nested_maps<absl::flat_hash_map<std::string, absl::flat_hash_set<std::string>>>(count, arguments);
}
