#include <chatblock.hpp>
#include <iostream>

int main()
{
    auto client = chatblock::client::open().or_throw();
    auto result = client.add("ann", {"bob"}).or_throw();
    std::cout << result.json() << '\n';
}
