using System;
using System.IO;
using System.Linq;

namespace Chatblock.Tests
{
    /// <summary>The memory of this process.</summary>
    internal static class Memory
    {
        /// <summary>The process grows by less than so many MiB while work is done, after some that does not count.</summary>
        internal static void Grows(long lessThanMib, int first, int count, Action work)
        {
            Repeat(first, work);
            long before = ResidentMib();
            Repeat(count, work);
            long growth = ResidentMib() - before;
            Assert.True(growth < lessThanMib, "grew by " + growth + " MiB");
        }

        private static void Repeat(int count, Action work)
        {
            for (int i = 0; i < count; i++)
            {
                work();
            }
        }

        private static long ResidentMib()
        {
            string line = File.ReadAllLines("/proc/self/status").Single(text => text.StartsWith("VmRSS:"));
            return long.Parse(new string(line.Where(char.IsDigit).ToArray())) / 1024;
        }
    }
}
