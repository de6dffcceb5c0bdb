using System.CommandLine;
using System.Text.Json;
using EdgeGateway.Core.Configuration;
using EdgeGateway.Core.Feed;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Verifying;

namespace EdgeGateway.Commands;

/// <summary><c>edgegateway verify-feed</c>: proves from the feed alone that nothing is missing without explanation and nothing doubled.</summary>
internal static class VerifyFeedCommand
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan ForgetLimit = TimeSpan.FromSeconds(5);

    /// <summary>How long the broker keeps the session of an audit that is meant to go on, and of one that is not.</summary>
    private static readonly TimeSpan LongSession = TimeSpan.FromDays(7);
    private static readonly TimeSpan ShortSession = TimeSpan.FromHours(1);

    public static Command Create()
    {
        var sources = new Argument<string[]>("source")
        {
            Description = "A broker (mqtt://host:1883, mqtts://host:8883, or over WebSocket ws://host/path, wss://host/path), or files: one message a line, as --record, mosquitto_sub -F %j or -v write them (.gz is unpacked, - is standard input).",
            Arity = ArgumentArity.OneOrMore,
        };
        var topic = new Option<string>("--topic") { Description = "What to subscribe to.", HelpName = "FILTER", DefaultValueFactory = _ => "edgegateway/v1/#" };
        var version = new Option<string>("--mqtt") { Description = "Version of the protocol: 5 or 3.1.1.", HelpName = "VERSION", DefaultValueFactory = _ => "5" };
        version.AcceptOnlyFromAmong("5", "3.1.1");
        var client = new Option<string?>("--client-id") { Description = "Name of the session at the broker. With --state the same each time.", HelpName = "ID" };
        var user = new Option<string?>("--user") { Description = "User name.", HelpName = "NAME" };
        var password = new Option<string?>("--password-file") { Description = "File that holds the password.", HelpName = "FILE" };
        var ca = new Option<string?>("--ca") { Description = "PEM file of the authorities to trust instead of the system's.", HelpName = "FILE" };
        var certificate = new Option<string?>("--cert") { Description = "PEM file of our own certificate.", HelpName = "FILE" };
        var key = new Option<string?>("--key") { Description = "PEM file of its private key.", HelpName = "FILE" };
        var duration = new Option<string?>("--for") { Description = "Listen so long, such as 10m. Without it and --until-quiet: until Ctrl+C.", HelpName = "TIME" };
        var quiet = new Option<string?>("--until-quiet") { Description = "Listen until nothing has come for so long, such as 30s.", HelpName = "TIME" };
        var from = new Option<string?>("--from")
        {
            Description = "Where completeness begins: 'first' (record 1 of each epoch) or 'heard' (where listening began). Files begin at 'first', a broker at 'heard'.",
            HelpName = "WHERE",
        };
        from.AcceptOnlyFromAmong("first", "heard");
        var deep = new Option<bool>("--deep") { Description = "Look for records under a second number, too: compares what they say (about 250 bytes of memory a record)." };
        var remember = new Option<int>("--remember") { Description = "How many of the newest records are compared by content. Without it 100000, with --deep 1000000.", HelpName = "N" };
        var order = new Option<bool>("--require-order") { Description = "Make the order of first deliveries within a lane part of the proof." };
        var record = new Option<string?>("--record") { Description = "Write everything that is delivered to a new file (.gz is packed).", HelpName = "FILE" };
        var state = new Option<string?>("--state") { Description = "Keep what is known in this file and go on from it, also in the same session at the broker.", HelpName = "FILE" };
        var json = CommonOptions.Json();
        var command = new Command(
            "verify-feed",
            """
            Prove from a feed alone that no record is missing without explanation and none is doubled; print what is missing and why.
            Listens to a broker or reads recorded files. Ctrl+C ends it and prints the verdict so far.
            Exit code 0: proven; 1: not proven; 2: the command line, a file or the connection is wrong.
            """) { sources, topic, version, client, user, password, ca, certificate, key, duration, quiet, from, deep, remember, order, record, state, json };
        command.SetAction((result, cancel) => RunAsync(
            new Request
            {
                Sources = result.GetValue(sources)!,
                Topic = result.GetValue(topic)!,
                Version = result.GetValue(version) == "5" ? MqttProtocolVersion.V500 : MqttProtocolVersion.V311,
                ClientId = result.GetValue(client),
                User = result.GetValue(user),
                PasswordFile = result.GetValue(password),
                Ca = result.GetValue(ca),
                Certificate = result.GetValue(certificate),
                Key = result.GetValue(key),
                For = result.GetValue(duration),
                UntilQuiet = result.GetValue(quiet),
                From = result.GetValue(from),
                Deep = result.GetValue(deep),
                Remember = result.GetValue(remember),
                RequireOrder = result.GetValue(order),
                Record = result.GetValue(record),
                State = result.GetValue(state),
                Json = result.GetValue(json),
            },
            cancel));
        return command;
    }

    private static async Task<int> RunAsync(Request request, CancellationToken terminated)
    {
        var interrupted = new CancellationTokenSource();
        using var interrupt = Terminal.OnInterrupt(interrupted);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(terminated, interrupted.Token);
        if (Problem(request) is { } problem)
        {
            return Terminal.Fail(problem, Terminal.BadInput);
        }

        try
        {
            using var file = request.State is null ? null : new AuditFile(request.State);
            var options = new FeedAuditOptions
            {
                Start = (request.From ?? (request.Broker is null ? "first" : "heard")) == "first" ? LedgerStart.FirstRecord : LedgerStart.FirstHeard,
                Deep = request.Deep,
                RememberedRecords = request.Remember > 0 ? request.Remember : request.Deep ? 1_000_000 : 100_000,
                RequireOrder = request.RequireOrder,
            };
            var goesOn = file is { Exists: true };
            var audit = goesOn ? file!.Load(options) : new FeedAudit(options);
            if (request.Broker is { } broker)
            {
                if (await ListenAsync(request, broker, audit, file, goesOn, either.Token).ConfigureAwait(false) is { } failure)
                {
                    return Terminal.Fail(failure, Terminal.BadInput);
                }
            }
            else
            {
                ReadFiles(request, audit, either.Token);
            }

            file?.Save(audit);
            return Tell(audit.Verdict(), request.Json);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return Terminal.Fail(e.Message, Terminal.BadInput);
        }
    }

    /// <summary>What is wrong with the command line; null when nothing is.</summary>
    private static string? Problem(Request request)
    {
        foreach (var (name, text) in (ReadOnlySpan<(string, string?)>)[("--for", request.For), ("--until-quiet", request.UntilQuiet)])
        {
            if (text is not null && (!Quantities.TryDuration(text, out var span) || span <= TimeSpan.Zero))
            {
                return $"'{text}' is no time for {name}: write 30s, 10m or 2h.";
            }
        }

        if (request.Remember < 0)
        {
            return $"--remember {request.Remember}: write how many records, at least 1.";
        }

        var brokers = request.Sources.Count(s => s.Contains("://", StringComparison.Ordinal));
        if (brokers == 0)
        {
            return request.Record is null && request.For is null && request.UntilQuiet is null
                ? null
                : "--record, --for and --until-quiet are for a broker; files are read to their end.";
        }

        if (request.Sources.Length > 1)
        {
            return "Name one broker, or files.";
        }

        if (request.Broker is not { } broker || broker.Host.Length == 0 || broker.Scheme is not ("mqtt" or "mqtts" or "ws" or "wss"))
        {
            return $"'{request.Sources[0]}' is no broker: write mqtt://host:1883, mqtts://host:8883, ws://host/path or wss://host/path.";
        }

        if (request.Record is not null && File.Exists(request.Record))
        {
            return $"{request.Record} exists already: name a new file with --record.";
        }

        try
        {
            Options(request, broker, goesOn: false).Validate();
            MqttTopic.ValidateFilter(request.Topic);
            return null;
        }
        catch (Exception e) when (e is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }

    private static MqttClientOptions Options(Request request, Uri broker, bool goesOn) => new()
    {
        Servers = [broker],
        Version = request.Version,
        ClientId = ClientId(request),
        SessionStore = goesOn ? new BrokerSession(broker, ClientId(request)) : null,
        SessionExpiry = request.State is null ? ShortSession : LongSession,
        UserName = request.User,
        Password = PasswordFile.Read(request.PasswordFile),
        MaxIncomingPacketSize = FeedPayload.DefaultLimit,
        Tls = new MqttTlsOptions { CaFile = request.Ca, CertificateFile = request.Certificate, KeyFile = request.Key },
    };

    private static string ClientId(Request request) =>
        request.ClientId ?? (request.State is null ? $"edgegateway-verify-{Environment.ProcessId}" : "edgegateway-verify");

    private static async Task<string?> ListenAsync(Request request, Uri broker, FeedAudit audit, AuditFile? file, bool goesOn, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var gate = new Lock();
        var heard = time.GetTimestamp();
        string? failed = null;
        using var recorder = request.Record is null ? null : new FeedRecorder(request.Record);

        async ValueTask TakeAsync(MqttMessage message, CancellationToken ended)
        {
            lock (gate)
            {
                heard = time.GetTimestamp();
                var target = request.State;
                try
                {
                    file?.Note(audit, message.Topic, message.Payload.Span, message.Retain);
                    audit.Take(message.Topic, message.Payload, message.Retain);
                    target = request.Record;
                    recorder?.Write(message.Topic, message.Payload.Span, message.Retain, time.GetUtcNow());
                    return;
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    failed = $"{target} cannot be written: {e.Message}";
                }
            }

            // Not acknowledged, so that the broker keeps it; the command ends.
            await Task.Delay(Timeout.InfiniteTimeSpan, time, ended).ConfigureAwait(false);
        }

        var listener = new BrokerListener(Options(request, broker, goesOn), time, TakeAsync, Console.Error.WriteLine);
        await using (listener.ConfigureAwait(false))
        {
            var began = time.GetTimestamp();
            try
            {
                if (await listener.StartAsync(request.Topic, cancel).ConfigureAwait(false) is { } failure)
                {
                    return failure;
                }

                Console.Error.WriteLine($"Listening to {request.Topic} at {broker.Host}:{broker.Port}. Ctrl+C ends it.");
                lock (gate)
                {
                    began = heard = time.GetTimestamp();
                }

                var told = began;
                while (!IsOver())
                {
                    await Task.Delay(Turn, time, cancel).ConfigureAwait(false);
                    if (time.GetElapsedTime(told) >= ProgressInterval)
                    {
                        told = time.GetTimestamp();
                        lock (gate)
                        {
                            file?.Save(audit);
                            recorder?.Flush();
                            Console.Error.WriteLine($"{audit.Messages} messages; so far {audit.Verdict().Ledger.Line}");
                        }
                    }
                }
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                // The verdict so far.
            }

            if (request.State is null)
            {
                await ForgetAsync(listener, request.Topic, time).ConfigureAwait(false);
            }

            bool IsOver()
            {
                lock (gate)
                {
                    return failed is not null
                        || (request.For is not null && time.GetElapsedTime(began) >= Span(request.For))
                        || (request.UntilQuiet is not null && time.GetElapsedTime(heard) >= Span(request.UntilQuiet));
                }
            }
        }

        return failed;
    }

    private static async Task ForgetAsync(BrokerListener listener, string filter, TimeProvider time)
    {
        using var limit = new CancellationTokenSource(ForgetLimit, time);
        try
        {
            await listener.ForgetAsync(filter, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("The broker did not end the subscription in time; it forgets the session by itself.");
        }
    }

    private static void ReadFiles(Request request, FeedAudit audit, CancellationToken cancel)
    {
        var time = TimeProvider.System;
        var told = time.GetTimestamp();
        foreach (var path in request.Sources)
        {
            new FeedFile(path).Read(
                (number, line) =>
                {
                    if (FeedLine.Read(line, out var problem) is { } message)
                    {
                        audit.Take(message.Topic, message.Payload, message.Retained);
                    }
                    else
                    {
                        audit.NoteUnreadable($"{path}:{number}: {problem}");
                    }

                    if (time.GetElapsedTime(told) >= ProgressInterval)
                    {
                        told = time.GetTimestamp();
                        Console.Error.WriteLine($"{path}:{number}: {audit.Messages} messages");
                    }
                },
                audit.NoteUnreadable,
                cancel);
        }

        if (cancel.IsCancellationRequested)
        {
            Console.Error.WriteLine("Interrupted: the verdict is about what was read until then.");
        }
    }

    private static int Tell(FeedVerdict verdict, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(VerdictDocument.From(verdict), VerdictJson.Default.VerdictDocument));
        }
        else
        {
            VerdictView.Show(verdict);
        }

        return verdict.IsProven ? Terminal.Success : Terminal.Failure;
    }

    private static TimeSpan Span(string text) => Quantities.TryDuration(text, out var span) ? span : TimeSpan.Zero;

    private sealed record Request
    {
        public required string[] Sources { get; init; }

        public required string Topic { get; init; }

        public required MqttProtocolVersion Version { get; init; }

        public required string? ClientId { get; init; }

        public required string? User { get; init; }

        public required string? PasswordFile { get; init; }

        public required string? Ca { get; init; }

        public required string? Certificate { get; init; }

        public required string? Key { get; init; }

        public required string? For { get; init; }

        public required string? UntilQuiet { get; init; }

        public required string? From { get; init; }

        public required bool Deep { get; init; }

        public required int Remember { get; init; }

        public required bool RequireOrder { get; init; }

        public required string? Record { get; init; }

        public required string? State { get; init; }

        public required bool Json { get; init; }

        /// <summary>The broker to listen to; null when files are read.</summary>
        public Uri? Broker => Sources[0].Contains("://", StringComparison.Ordinal) && Uri.TryCreate(Sources[0], UriKind.Absolute, out var uri) ? uri : null;
    }
}
