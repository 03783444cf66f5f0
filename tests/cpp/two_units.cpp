// The header in two units of one program (the other is two_units_other.cpp), in each twice.
#include "chatblock.hpp"
#include "chatblock.hpp"

#include "check.hpp"

chatblock::result add_elsewhere(const chatblock::client &client, const chatblock::accounts &to);

int main()
{
    const chatblock::client client = open_client();
    CHECK_STATUS(add_elsewhere(client, {"bob"}).status(), ok);
    CHECK(client.is_blocked("ann", "bob") == chatblock::blocked::yes);
    return check_report();
}
