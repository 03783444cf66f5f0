using System;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Chatblock
{
    /// <summary>A result of the library, on its way to becoming a <see cref="Result"/>.</summary>
    internal sealed unsafe class ResultHandle : SafeHandleZeroOrMinusOneIsInvalid
    {
        private ResultHandle()
            : base(true)
        {
        }

        internal ResultHandle(IntPtr result)
            : base(true)
        {
            SetHandle(result);
        }

        internal ulong Tag
        {
            get { return Library.chatblock_result_tag(this); }
        }

        /// <summary>A secret: never a part of a <see cref="Result"/>, which may be logged.</summary>
        internal string UserSig
        {
            get { return Text(Library.chatblock_result_usersig(this)); }
        }

        /// <summary>Its value when the call was done, else an exception.</summary>
        internal Result Done()
        {
            Result result = Read();
            if (result.Status < 0)
            {
                throw new ChatblockException(result);
            }
            return result;
        }

        /// <summary>Its value, whatever it says.</summary>
        internal Result Read()
        {
            return new Result(
                (Status)Library.chatblock_result_status(this),
                Library.chatblock_result_service_code(this),
                Library.chatblock_result_retryable(this) != 0,
                Text(Library.chatblock_result_message(this)),
                Text(Library.chatblock_result_json(this)),
                Text(Library.chatblock_result_command(this)),
                Text(Library.chatblock_result_from_account(this)),
                Array.AsReadOnly(Items()),
                Library.chatblock_result_next_index(this));
        }

        /// <summary>A text of the library.</summary>
        internal static string Text(byte* text)
        {
            int length = 0;
            while (text[length] != 0)
            {
                length++;
            }
            return length == 0 ? "" : Encoding.UTF8.GetString(text, length);
        }

        protected override bool ReleaseHandle()
        {
            Library.chatblock_result_free(handle);
            return true;
        }

        private Item[] Items()
        {
            var items = new Item[(int)Library.chatblock_result_item_count(this)];
            for (int i = 0; i < items.Length; i++)
            {
                var index = (UIntPtr)(uint)i;
                items[i] = new Item(
                    Text(Library.chatblock_result_item_account(this, index)),
                    (Status)Library.chatblock_result_item_status(this, index),
                    Library.chatblock_result_item_code(this, index),
                    (Relation)Library.chatblock_result_item_relation(this, index),
                    Library.chatblock_result_item_time(this, index));
            }
            return items;
        }
    }
}
