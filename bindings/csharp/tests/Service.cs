using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;

namespace Chatblock.Tests
{
    /// <summary>The service's protocol in a process of its own: <c>chatblock serve</c>.</summary>
    internal sealed class Service : IDisposable
    {
        private const string Listening = "listening on ";
        private const string App = "\"sdkappid\":1400000001,\"secret_key\":\"synthetic-key-for-tests-0001\"";

        private readonly Process process;

        /// <summary>Serves on a free port, or on that of an earlier one.</summary>
        internal Service(string listen = "127.0.0.1:0", string accounts = "any")
        {
            using (var folder = new Folder())
            {
                string config = folder.File("serve.json");
                File.WriteAllText(config, "{\"backend\":\"embedded\"," + App + ",\"accounts\":\"" + accounts + "\"}");
                process = Process.Start(new ProcessStartInfo
                {
                    FileName = Environment.GetEnvironmentVariable("CHATBLOCK_PREFIX") + "/bin/chatblock",
                    Arguments = "serve --config " + config + " --listen " + listen,
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                });
                string line = process.StandardOutput.ReadLine();
                if (line == null || !line.StartsWith(Listening, StringComparison.Ordinal))
                {
                    Dispose();
                    throw new InvalidOperationException("serve said " + line);
                }
                Url = line.Substring(Listening.Length);
            }
        }

        internal string Url { get; }

        /// <summary>A configuration for clients of a service.</summary>
        internal static Dictionary<string, object> Remote(string url)
        {
            return new Dictionary<string, object>
            {
                { "backend", "remote" },
                { "sdkappid", 1400000001 },
                { "secret_key", "synthetic-key-for-tests-0001" },
                { "base_url", url },
            };
        }

        public void Dispose()
        {
            if (!process.HasExited)
            {
                process.Kill();
            }
            process.WaitForExit();
            process.Dispose();
        }
    }

    /// <summary>A folder that is gone afterwards.</summary>
    internal sealed class Folder : IDisposable
    {
        private readonly string path = Path.Combine(Path.GetTempPath(), "chatblock-" + Guid.NewGuid());

        internal Folder()
        {
            Directory.CreateDirectory(path);
        }

        internal string File(string name)
        {
            return Path.Combine(path, name);
        }

        public void Dispose()
        {
            Directory.Delete(path, true);
        }
    }
}
