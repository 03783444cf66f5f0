using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Threading.Tasks;

namespace Chatblock.Tests
{
    /// <summary>
    /// Runs every method that is marked with <see cref="TestAttribute"/>, or those whose names are given. Runs also the bench,
    /// and the program of a test that needs one of its own.
    /// </summary>
    internal static class Runner
    {
        private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

        private static int Main(string[] names)
        {
            if (names.SequenceEqual(new[] { "bench" }))
            {
                Bench.Run();
                return 0;
            }
            if (names.SequenceEqual(new[] { Lifetime.Forgetful }))
            {
                Lifetime.ForgetToClose();
                return 0;
            }
            List<MethodInfo> tests = Assembly.GetExecutingAssembly().GetTypes()
                .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.NonPublic))
                .Where(method => method.IsDefined(typeof(TestAttribute), false))
                .Where(method => names.Length == 0 || names.Contains(method.Name))
                .ToList();
            int failed = tests.Count(test => !Passes(test));
            Console.WriteLine("{0} passed, {1} failed", tests.Count - failed, failed);
            return failed == 0 && tests.Count > 0 ? 0 : 1;
        }

        /// <summary>What the test threw, without what carried it here.</summary>
        private static Exception Cause(Exception e)
        {
            return e is AggregateException || e is TargetInvocationException ? Cause(e.InnerException) : e;
        }

        private static bool Passes(MethodInfo test)
        {
            Task run = Task.Factory.StartNew(() => test.Invoke(null, null), TaskCreationOptions.LongRunning);
            string why = null;
            try
            {
                if (!run.Wait(Limit))
                {
                    why = "not done after " + Limit;
                }
            }
            catch (AggregateException e)
            {
                why = Cause(e).ToString();
            }
            Console.WriteLine(why == null ? "shown: " + test.Name : "FAILED: " + test.Name + ": " + why);
            return why == null;
        }
    }

    /// <summary>A test: a static method of the assembly that returns when what its name says holds.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    internal sealed class TestAttribute : Attribute
    {
    }

    internal static class Assert
    {
        internal static void True(bool holds, string what)
        {
            if (!holds)
            {
                throw new InvalidOperationException(what);
            }
        }

        internal static void Equal<T>(T expected, T came, string what = "")
        {
            True(EqualityComparer<T>.Default.Equals(expected, came), what + " expected " + expected + ", came " + came);
        }

        internal static void Sequence<T>(IEnumerable<T> expected, IEnumerable<T> came)
        {
            Equal(string.Join(" | ", expected), string.Join(" | ", came));
        }

        /// <summary>The exception of a call that has to fail, also of one that fails on another thread.</summary>
        internal static T Throws<T>(Action call)
            where T : Exception
        {
            try
            {
                call();
            }
            catch (Exception e)
            {
                var expected = (e is AggregateException ? e.InnerException : e) as T;
                True(expected != null, "expected " + typeof(T) + ", came " + e);
                return expected;
            }
            throw new InvalidOperationException("expected " + typeof(T) + ", but it was done");
        }

        internal static void Fails(Status status, Action call)
        {
            Equal(status, Throws<ChatblockException>(call).Status);
        }
    }
}
