using System.Runtime.InteropServices;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Storage;

namespace EdgeGateway.Exam;

/// <summary>One run of the program, from its arguments to its exit code.</summary>
internal static class ExamRun
{
    private const string ClientNote = "exam/client";
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AppendAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CommitWindow = TimeSpan.FromMilliseconds(50);

    /// <summary>Publishes what the outbox holds and receives what is subscribed, until all is settled or a signal comes.</summary>
    /// <exception cref="ExamException">Options or messages are not usable.</exception>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    public static async Task<int> RunAsync(ExamOptions options, string outboxFolder, string stateFolder, TimeProvider time)
    {
        using var stop = new CancellationTokenSource();
        using var terminate = OnSignal(PosixSignal.SIGTERM, stop);
        using var interrupt = OnSignal(PosixSignal.SIGINT, stop);
        using var outbox = ExamOutbox.Open(stateFolder, time);
        using var received = new ReceivedFile(options.File.ReceivedFile, outbox, resumes: !options.File.CleanStart);
        var clientOptions = options.ForClient(ClientId(options, outbox));
        if (!clientOptions.CleanStart)
        {
            clientOptions = clientOptions with
            {
                SessionStore = new ExamSessionStore(outbox, received),
                Recall = row => outbox.Find(row) is { } m ? new MqttPublication { Topic = m.Topic, Payload = m.Payload, Qos = (MqttQos)m.Qos, Retain = m.Retain } : null,

                // As the standard has it for a client whose session outlives it: QoS 1, too, is resent under the old identifiers.
                SaveBeforeSending = MqttQos.AtLeastOnce,

                // The acknowledgements become durable in the very commit by which the session forgets the messages.
                Settling = (settled, _) => Note(outbox, settled),
            };
        }

        var events = new ExamEvents(Console.OpenStandardOutput());
        var client = new MqttClient(clientOptions, time);
        await using var stopped = client.ConfigureAwait(false);
        using var publisher = new ExamPublisher(client, outbox, options, events, time);
        using var saver = new Saver(outbox, time);
        publisher.Settled = saver.Wake;
        publisher.Resume();
        client.Connected = publisher.Connected;
        client.Disconnected = publisher.Disconnected;
        client.SessionStoreFailed = e => Console.Error.WriteLine($"mqtt-exam: the session could not be saved and is saved again: {e.Message}");
        client.MessageReceived = async (message, cancel) =>
        {
            // Acknowledged only once it is written; a full disk may have room again.
            while (received.TryAppend(message) is { } failure)
            {
                await Console.Error.WriteLineAsync($"mqtt-exam: a message could not be appended and is appended again: {failure.Message}").ConfigureAwait(false);
                await Task.Delay(AppendAgain, time, cancel).ConfigureAwait(false);
            }
        };

        var import = outbox.ImportAsync(Path.Combine(outboxFolder, "messages.ndjson"), stop.Token);
        var serving = client.RunAsync(CancellationToken.None);
        var subscribing = SubscribeAsync(client, options, events, stop.Token);
        var publishing = publisher.RunAsync(keepRunning: !options.File.ExitWhenDone, import, stop.Token);
        var first = await Task.WhenAny(serving, publishing, FailedAsync(import), FailedAsync(saver.Running)).ConfigureAwait(false);
        await first.ConfigureAwait(false);
        if (!stop.IsCancellationRequested)
        {
            await Task.WhenAny(subscribing, Task.Delay(StopGrace, time, stop.Token)).ConfigureAwait(false);
            await Task.Delay(TimeSpan.FromSeconds(options.File.LingerS), time, stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await publishing.ConfigureAwait(false);
        await stop.CancelAsync().ConfigureAwait(false);
        await publisher.SettleAsync(StopGrace).ConfigureAwait(false);
        await client.DisconnectAsync(CancellationToken.None).ConfigureAwait(false);
        await serving.ConfigureAwait(false);
        await import.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await subscribing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        publisher.Finish();
        await saver.EndAsync().ConfigureAwait(false);
        return ExamExit.Done;
    }

    private static ValueTask Note(ExamOutbox outbox, IReadOnlyList<MqttSettled> settled)
    {
        foreach (var (row, outcome) in settled)
        {
            if (outcome.IsDelivered)
            {
                outbox.Acknowledge(row);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>A client id of the state folder's own when the options name none, the same in each process.</summary>
    private static string ClientId(ExamOptions options, ExamOutbox outbox)
    {
        if (options.File.ClientId is { } given)
        {
            return given;
        }

        if (outbox.Note(ClientNote) is { } known)
        {
            return known;
        }

        var made = $"mqtt-exam-{Guid.NewGuid():n}"[..23];
        outbox.Save(new StoreNote(ClientNote, made));
        return made;
    }

    private static PosixSignalRegistration OnSignal(PosixSignal signal, CancellationTokenSource stop) => PosixSignalRegistration.Create(signal, context =>
    {
        context.Cancel = true;
        stop.Cancel();
    });

    private static async Task SubscribeAsync(MqttClient client, ExamOptions options, ExamEvents events, CancellationToken cancel)
    {
        foreach (var wanted in options.File.Subscribe)
        {
            var outcome = await client.SubscribeAsync(wanted.Filter, ExamOptions.Qos(wanted.Qos, "subscribe"), cancel).ConfigureAwait(false);
            if (outcome.Granted)
            {
                events.Subscribed(wanted.Filter, (int)outcome.Qos);
            }
            else
            {
                events.SubscriptionRefused(wanted.Filter, (byte)outcome.Code);
            }
        }
    }

    /// <summary>Completes only by a fault: a good end of the part is no reason to end the run.</summary>
    private static async Task FailedAsync(Task part)
    {
        try
        {
            await part.ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The stop, which ends the run by itself.
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System).ConfigureAwait(false);
    }

    /// <summary>Commits acknowledgements a moment after they were noted, many at a time.</summary>
    private sealed class Saver : IDisposable
    {
        private readonly SemaphoreSlim _wanted = new(0);
        private readonly CancellationTokenSource _end = new();
        private readonly ExamOutbox _outbox;
        private readonly TimeProvider _time;
        private int _pending;

        public Saver(ExamOutbox outbox, TimeProvider time)
        {
            _outbox = outbox;
            _time = time;
            Running = Task.Run(RunAsync);
        }

        public Task Running { get; }

        public void Wake()
        {
            if (Interlocked.Exchange(ref _pending, 1) == 0)
            {
                _wanted.Release();
            }
        }

        /// <summary>Ends it; the last acknowledgements are durable then.</summary>
        public async Task EndAsync()
        {
            await _end.CancelAsync().ConfigureAwait(false);
            await Running.ConfigureAwait(false);
            await _outbox.SaveSurelyAsync().ConfigureAwait(false);
        }

        public void Dispose()
        {
            _end.Dispose();
            _wanted.Dispose();
        }

        private async Task RunAsync()
        {
            try
            {
                while (true)
                {
                    await _wanted.WaitAsync(_end.Token).ConfigureAwait(false);
                    await Task.Delay(CommitWindow, _time, _end.Token).ConfigureAwait(false);
                    Interlocked.Exchange(ref _pending, 0);
                    await _outbox.SaveSurelyAsync().ConfigureAwait(false);
                }
            }
            catch (OperationCanceledException)
            {
                // The end.
            }
        }
    }
}
