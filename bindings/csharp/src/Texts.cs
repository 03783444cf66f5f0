using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.InteropServices;
using System.Text;

namespace Chatblock
{
    /// <summary>
    /// Texts as the library takes them: UTF-8 with a NUL, and an array of pointers to them, in one block of memory that
    /// is wiped before it is given back.
    /// </summary>
    internal sealed unsafe class Texts : IDisposable
    {
        /// <summary>In place of an index: a text that is not an element of a list.</summary>
        internal const int Alone = -1;

        private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false, true);

        private readonly byte** array;
        private readonly byte* end;

        /// <summary>A list of texts; <paramref name="name"/> is for the messages of exceptions.</summary>
        internal Texts(string name, IEnumerable<string> texts)
            : this(name, Copy(name, texts), true)
        {
        }

        /// <summary>One text.</summary>
        internal Texts(string name, string text)
            : this(name, new[] { text }, false)
        {
        }

        private Texts(string name, string[] texts, bool isList)
        {
            long bytes = texts.Length * (long)sizeof(byte*);
            for (int i = 0; i < texts.Length; i++)
            {
                bytes += Room(texts[i], name, isList ? i : Alone);
            }
            array = (byte**)Marshal.AllocHGlobal((IntPtr)Math.Max(bytes, 1));
            Count = (UIntPtr)(uint)texts.Length;
            byte* next = (byte*)(array + texts.Length);
            end = next;
            try
            {
                for (int i = 0; i < texts.Length; i++)
                {
                    array[i] = next;
                    next += Write(texts[i], name, isList ? i : Alone, next);
                    end = next;
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        internal UIntPtr Count { get; }

        /// <summary>The pointers to the texts.</summary>
        internal byte** Array
        {
            get { return array; }
        }

        /// <summary>The first text.</summary>
        internal byte* First
        {
            get { return array[0]; }
        }

        /// <summary>At most so many bytes does a text take.</summary>
        internal static long Room(string text, string name, int index)
        {
            if (text == null)
            {
                throw new ArgumentNullException(Label(name, index));
            }
            return 3L * text.Length + 1;
        }

        /// <summary>Writes a text with its NUL, and says how many bytes that took.</summary>
        internal static int Write(string text, string name, int index, byte* to)
        {
            if (text.IndexOf('\0') >= 0)
            {
                throw new ArgumentException("contains a NUL", Label(name, index));
            }
            int bytes = 0;
            try
            {
                fixed (char* chars = text)
                {
                    bytes = Utf8.GetBytes(chars, text.Length, to, 3 * text.Length);
                }
            }
            catch (EncoderFallbackException e)
            {
                throw new ArgumentException("has an unpaired surrogate", Label(name, index), e);
            }
            to[bytes] = 0;
            return bytes + 1;
        }

        public void Dispose()
        {
            for (byte* at = (byte*)array; at < end; at++)
            {
                *at = 0;
            }
            Marshal.FreeHGlobal((IntPtr)array);
        }

        private static string Label(string name, int index)
        {
            return index == Alone ? name : name + "[" + index + "]";
        }

        private static string[] Copy(string name, IEnumerable<string> texts)
        {
            if (texts == null)
            {
                throw new ArgumentNullException(name);
            }
            return texts.ToArray();
        }
    }
}
