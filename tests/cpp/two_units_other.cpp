#include "chatblock.hpp"
#include "chatblock.hpp"

chatblock::result add_elsewhere(const chatblock::client &client, const chatblock::accounts &to);

chatblock::result add_elsewhere(const chatblock::client &client, const chatblock::accounts &to)
{
    return client.add("ann", to);
}
