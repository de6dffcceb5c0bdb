using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Bench;

/// <summary>The MQTT client alone: one task publishes to a broker as fast as the window lets it. Messages a second, and what a publish costs.</summary>
internal static class MqttBench
{
    public static Command Create()
    {
        var messages = new Option<int>("--messages") { Description = "Messages in each round.", DefaultValueFactory = _ => 200_000 };
        var size = new Option<int>("--size") { Description = "Bytes of payload.", DefaultValueFactory = _ => 100 };
        var window = new Option<int>("--window") { Description = "Messages in flight.", DefaultValueFactory = _ => 100 };
        var qos = new Option<int>("--qos") { Description = "Quality of service, 0 to 2.", DefaultValueFactory = _ => 1 };
        var rounds = new Option<int>("--rounds") { Description = "Rounds; the first warms up.", DefaultValueFactory = _ => 4 };
        var broker = new Option<Uri?>("--broker") { Description = "A broker that runs; without, mosquitto is started.", HelpName = "URI" };
        var command = new Command("mqtt", "Publishes from one task: messages a second, allocated bytes and processor time for each.")
        {
            messages, size, window, qos, rounds, broker,
        };
        command.SetAction(async (result, cancel) =>
        {
            await using var own = result.GetValue(broker) is null ? await OwnBroker.StartAsync().ConfigureAwait(false) : null;
            await RunAsync(
                result.GetValue(broker) ?? own!.Uri,
                result.GetValue(messages),
                result.GetValue(size),
                result.GetValue(window),
                (MqttQos)result.GetValue(qos),
                result.GetValue(rounds),
                cancel).ConfigureAwait(false);
            return 0;
        });
        return command;
    }

    private static async Task RunAsync(Uri broker, int messages, int size, int window, MqttQos qos, int rounds, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var options = new MqttClientOptions { Servers = [broker], ClientId = "bench-publisher", CleanStart = true, MaxInFlight = window };
        await using var client = new MqttClient(options, time);
        _ = client.RunAsync(CancellationToken.None);
        var payload = new byte[size];

        // As many open publishes as the window holds, so that the next one always waits for the oldest: back pressure without a queue.
        var open = new Task<PublishOutcome>[window];
        for (var round = 0; round < rounds; round++)
        {
            await client.PublishAsync("bench/warm", payload, cancel: cancel).ConfigureAwait(false);
            var processor = Process.GetCurrentProcess().TotalProcessorTime;
            var allocated = GC.GetTotalAllocatedBytes(precise: true);
            var start = time.GetTimestamp();
            for (var i = 0; i < messages + window; i++)
            {
                if (i >= window && !(await open[i % window].ConfigureAwait(false)).IsDelivered)
                {
                    throw new InvalidOperationException("a message was not delivered");
                }

                if (i < messages)
                {
                    open[i % window] = client.PublishAsync("bench/x", payload, qos, cancel: CancellationToken.None).AsTask();
                }
            }

            var elapsed = time.GetElapsedTime(start);
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            processor = Process.GetCurrentProcess().TotalProcessorTime - processor;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"round {round}: {messages / elapsed.TotalSeconds:N0} messages/s, {(double)allocated / messages:0} bytes allocated and {processor.TotalMicroseconds / messages:0.0} µs of processor time a message"));
        }
    }

    /// <summary>mosquitto on a free loopback port.</summary>
    private sealed class OwnBroker(ChildProcess process, string settings, Uri uri) : IAsyncDisposable
    {
        public Uri Uri => uri;

        public static async Task<OwnBroker> StartAsync()
        {
            using var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            var port = ((IPEndPoint)listener.LocalEndpoint).Port;
            listener.Stop();
            var settings = Path.GetTempFileName();
            string[] user = Environment.UserName == "root" ? ["user root"] : [];
            await File.WriteAllLinesAsync(settings, [$"listener {port} 127.0.0.1", "allow_anonymous true", "persistence false", "log_dest stderr", "log_type error", .. user])
                .ConfigureAwait(false);
            return new(ChildProcess.Start(cpus: null, "/usr/sbin/mosquitto", "-c", settings), settings, new($"mqtt://127.0.0.1:{port}"));
        }

        public async ValueTask DisposeAsync()
        {
            await process.DisposeAsync().ConfigureAwait(false);
            File.Delete(settings);
        }
    }
}
