// P11: the floor. One page appended and synced, again and again, by one thread. Arguments: FILE COUNT.

#include <fcntl.h>
#include <unistd.h>

#include "../common.hpp"

using namespace bench;

int main(int count, char **arguments) {
    require(count == 3, "usage: FILE COUNT");
    const int file = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    require(file >= 0, "the file cannot be made");
    const std::string page(4096, 'x');
    run(1, std::atoi(arguments[2]), [&](int) {
        return [&] {
            require(write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size()), "write failed");
            require(fdatasync(file) == 0, "fdatasync failed");
        };
    });
    close(file);
}
