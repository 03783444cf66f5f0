/* The header stands alone and may be included twice. */
#include "chatblock.h"
#include "chatblock.h"

int main(void)
{
    return chatblock_version_number() == CHATBLOCK_VERSION_NUMBER ? 0 : 1;
}
