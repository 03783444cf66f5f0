using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;

namespace Chatblock.Tests
{
    /// <summary>A service that takes connections and never answers.</summary>
    internal sealed class Silence : IDisposable
    {
        private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);

        internal Silence()
        {
            listener.Start();
        }

        /// <summary>A client whose calls end without an answer after so many milliseconds.</summary>
        internal Client Client(int callMs)
        {
            Dictionary<string, object> config = Service.Remote("http://" + listener.LocalEndpoint);
            config["attempt_ms"] = callMs;
            config["call_ms"] = callMs;
            return new Client(config);
        }

        public void Dispose()
        {
            listener.Stop();
        }
    }
}
