#include <chatblock.hpp>
#include <iostream>

int main()
{
    const auto client = chatblock::client::open("{}").or_throw();
    const auto result = client.add("ann", {"bob", "ann"}).or_throw();
    for (const auto &item : result.items())
        std::cout << item.account << ": " << chatblock::name(item.status) << '\n';
    return client.is_blocked("ann", "bob") == chatblock::blocked::yes ? 0 : 1;
}
