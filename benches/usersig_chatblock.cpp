// P10: making signatures through chatblock's C ABI on one thread. Argument: how many.

#include <chatblock.h>

#include "common.hpp"

using namespace bench;

int main(int count, char **arguments) {
    require(count == 2, "usage: COUNT");
    run(1, std::atoi(arguments[1]), [](int) {
        return [] {
            chatblock_result *result =
                chatblock_usersig_generate(1400000001, "a secret key of the usual length, 64 bytes, as text 000000000000",
                                           "play_0000000001", 86400);
            require(chatblock_result_usersig(result)[0] != '\0', chatblock_result_message(result));
            chatblock_result_free(result);
        };
    });
}
