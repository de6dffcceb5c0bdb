using System.CommandLine;
using System.Globalization;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Bench.Hardware;

/// <summary>What runs in the virtual machine: closes a contact again and again, and measures how long it takes until a subscriber of the broker knows.</summary>
internal static class LatencyInside
{
    public const string Name = "hardware-latency";
    public const string Mark = "latency";

    private const string Line = "contact";
    private const string Device = "door";
    private const string PeerTopic = "edge";
    private const int WarmUp = 5;

    // A contact is left alone for longer than the gateway's poll period, and not in step with it.
    private const int ShortestRest = 700;
    private const int LongestRest = 1_400;

    private static readonly TimeProvider Time = TimeProvider.System;

    /// <summary>The command inside the machine; users have no use for it.</summary>
    public static Command Create()
    {
        var peer = new Argument<string>("peer");
        var count = new Argument<int>("count");
        var drive = new Command(Name) { peer, count };
        drive.Hidden = true;
        drive.SetAction((result, _) => DriveAsync(result.GetValue(peer)!, result.GetValue(count)));
        return drive;
    }

    private static async Task<int> DriveAsync(string peer, int count)
    {
        var folder = Directory.CreateTempSubdirectory("latency-").FullName;
        await PulsesInside.RunAsync("hw", "gpio", "contacts", Line).ConfigureAwait(false);
        var port = Commands.Demo.FreePort.First(1);
        await using var broker = LoadSite.StartBroker(null, folder, "mosquitto", port, "persistence false");
        await LoadSite.AcceptsAsync(port, broker).ConfigureAwait(false);
        await using var subscriber = new Subscriber(new Uri($"mqtt://127.0.0.1:{port}"));
        await subscriber.Ready.ConfigureAwait(false);

        await using (ChildProcess.Start(null, "sh", "-c", $"exec {peer} {Line} | mosquitto_pub -p {port} -q 1 -t {PeerTopic} -l"))
        {
            await MeasureAsync(PulsesInside.Peer, subscriber, (topic, _) => topic == PeerTopic, null, count).ConfigureAwait(false);

            // The line has one owner; the program ends with its pipe at the next edge.
            await PulsesInside.RunAsync("sh", "-c", $"kill $(pidof {Path.GetFileName(peer)})").ConfigureAwait(false);
        }

        var yaml = Path.Combine(folder, "gateway.yaml");
        await File.WriteAllTextAsync(yaml, Site(port)).ConfigureAwait(false);
        await using (ChildProcess.Start(null, Environment.ProcessPath!, Path.Combine(AppContext.BaseDirectory, "edgegateway.dll"), "run", "--config", yaml))
        {
            await MeasureAsync(PulsesInside.Ours, subscriber, IsClosed, IsOpen, count).ConfigureAwait(false);
        }

        return 0;
    }

    private static bool IsClosed(string topic, ReadOnlySpan<byte> payload) => payload.IndexOf("\"input_state\":1"u8) >= 0;

    private static bool IsOpen(string topic, ReadOnlySpan<byte> payload) => payload.IndexOf("\"input_state\":0"u8) >= 0;

    /// <param name="program">Whose latency it is.</param>
    /// <param name="subscriber">Sees the messages.</param>
    /// <param name="isClosed">Whether a message says that the contact is closed.</param>
    /// <param name="isOpen">Whether it says that it is open; null when nobody says so.</param>
    /// <param name="count">How often.</param>
    private static async Task MeasureAsync(string program, Subscriber subscriber, MessageTest isClosed, MessageTest? isOpen, int count)
    {
        var pull = Directory.EnumerateDirectories("/sys/devices/platform", "gpio-sim.*").SelectMany(d => Directory.EnumerateDirectories(d, "gpiochip*")).Select(d => Path.Combine(d, "sim_gpio0", "pull")).First(File.Exists);
        if (isOpen is not null)
        {
            await subscriber.NextAsync(isOpen).ConfigureAwait(false);
        }

        var random = new Random(1);
        for (var i = -WarmUp; i < count; i++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(ShortestRest, LongestRest)), Time).ConfigureAwait(false);
            var known = subscriber.NextAsync(isClosed);
            var began = Time.GetTimestamp();
            await File.WriteAllTextAsync(pull, "pull-up").ConfigureAwait(false);
            var took = Time.GetElapsedTime(began, await known.ConfigureAwait(false));
            var opened = isOpen is null ? Task.CompletedTask : subscriber.NextAsync(isOpen);
            await File.WriteAllTextAsync(pull, "pull-down").ConfigureAwait(false);
            await opened.ConfigureAwait(false);
            if (i >= 0)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Mark}\t{program}\t{took.TotalMilliseconds}"));
            }
        }
    }

    private static string Site(int port) => $$"""
        schema: edgegateway/gateway/1
        site: { id: bench, timezone: UTC, region: CN }
        gateway: { id: bench, sampleMessages: poll }
        health: off
        storage: { directory: data, budget: 64MiB, commitWindow: 100ms }
        buses:
          - { id: gpio, type: gpio, inputs: [{ unit: 1, line: {{Line}}, use: contact }] }
        devices:
          - { id: {{Device}}, profile: generic-gpio-contact, bus: gpio, unit: 1, samples: all, points: { input_state: { poll: {{LatencyPart.PollMilliseconds}}ms } } }
        uplinks:
          - { id: centre, type: mqtt, servers: ["mqtt://127.0.0.1:{{port}}"], format: samples }

        """;

    private delegate bool MessageTest(string topic, ReadOnlySpan<byte> payload);

    /// <summary>Waits for one message at a time.</summary>
    private sealed class Subscriber : IAsyncDisposable
    {
        private readonly MqttClient _client;
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;
        private readonly Lock _gate = new();
        private (MessageTest Test, TaskCompletionSource<long> Found)? _wanted;

        public Subscriber(Uri broker)
        {
            _client = new MqttClient(new MqttClientOptions { Servers = [broker], ClientId = "subscriber" }, Time) { MessageReceived = OnMessage };
            _running = _client.RunAsync(_stop.Token);
            Ready = _client.SubscribeAsync("#").AsTask();
        }

        public Task Ready { get; }

        /// <summary>When the next message arrived that passes a test; a time stamp of the clock.</summary>
        public Task<long> NextAsync(MessageTest test)
        {
            var found = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_gate)
            {
                _wanted = (test, found);
            }

            return found.Task;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync().ConfigureAwait(false);
            await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await _client.DisposeAsync().ConfigureAwait(false);
            _stop.Dispose();
        }

        private ValueTask OnMessage(MqttMessage message, CancellationToken cancel)
        {
            var now = Time.GetTimestamp();
            lock (_gate)
            {
                if (_wanted is { } wanted && wanted.Test(message.Topic, message.Payload.Span))
                {
                    _wanted = null;
                    wanted.Found.SetResult(now);
                }
            }

            return ValueTask.CompletedTask;
        }
    }
}
