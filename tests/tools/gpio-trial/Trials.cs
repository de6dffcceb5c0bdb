using System.IO.Pipes;
using System.Net.Sockets;
using EdgeGateway.Protocols.Gpio;
using Microsoft.Win32.SafeHandles;

namespace EdgeGateway.GpioTrial;

/// <summary>What is tried; each prints the facts that it found, and the tests judge them.</summary>
internal static class Trials
{
    public const string Meters = "meters";
    public const string Belts = "belts";
    public const string Expander = "expander";

    private const int MostTries = 20;

    private static readonly TimeProvider Time = TimeProvider.System;

    public static async Task RunAsync(bool isLong, string? only = null)
    {
        s_only = only;
        var meters = await Bench.MakeFirstChipAsync(Meters, "pulse-1", "pulse-2", "pulse-3", "pulse-4", "pulse-5", "pulse-6", "-", "relay", "lamp");
        Bench.MakeChip(Belts, "tacho", "relay");
        Bench.MakeChip(Expander, "door");
        await TryAsync("find", Find);
        await TryAsync("values", Values);
        await TryAsync("burst", () => CountAsync(GpioLineRequest.MaxEventBuffer, 1000, 0));
        await TryAsync("fast", () => CountAsync(GpioLineRequest.MaxEventBuffer, isLong ? 300_000 : 1000, 1000));
        await TryAsync("six", () => SixAsync(isLong ? 30_000 : 250));
        await TryAsync("debounce", () => DebounceAsync(isLong ? 40 : 8));
        await TryAsync("debounce-too-long", DebounceTooLongAsync);
        await TryAsync("overflow", OverflowAsync);
        await TryAsync("taken", TakenAsync);
        await TryAsync("no-permission", () => NoPermissionAsync(meters));
        await TryAsync("mismatch", Mismatch);
        await TryAsync("unplugged", UnpluggedAsync);
        await TryAsync("gateway-faults", GatewayTrials.FaultsAsync);
        await TryAsync("gateway-alone", () => GatewayTrials.KillAsync("alone", isKept: false, isLong ? 60 : 2, TimeSpan.FromSeconds(10)));
        await TryAsync("gateway-kept", () => GatewayTrials.KillAsync("kept", isKept: true, isLong ? 60 : 6, TimeSpan.FromSeconds(10)));
        await TryAsync("kept", () => KeptAsync(isLong ? 60 : 3, TimeSpan.FromSeconds(isLong ? 9 : 0.7)));
    }

    // The one trial that is wanted; null for all.
    private static string? s_only;

    private static bool IsWanted(string name) => s_only is null || name.StartsWith(s_only, StringComparison.Ordinal);

    private static Task TryAsync(string name, Func<Task<string>> trial) => IsWanted(name) ? Trial.TryAsync(name, trial) : Task.CompletedTask;

    private static Task TryAsync(string name, Func<string> trial) => IsWanted(name) ? Trial.TryAsync(name, trial) : Task.CompletedTask;

    private static string Find()
    {
        var all = GpioInventory.Read();
        var tacho = all.Find("tacho");
        using var byName = GpioChip.Open(Path.GetFileName(tacho.Chip));
        using var byLabel = GpioChip.Open(Belts);
        using var byPath = GpioChip.Open(tacho.Chip);
        using var meters = GpioChip.Open(Meters);
        return Trial.Facts(
            ("chips", all.Chips.Count),
            ("lines", string.Join(",", byLabel.Lines().Select(line => line.Name))),
            ("tacho", tacho.Line.Offset),
            ("same", byName.Label == Belts && byPath.Label == Belts && byLabel.Path == tacho.Chip),
            ("unnamed", meters.Line(6).Title),
            ("twice", Refusal(() => all.Find("relay"))),
            ("missing", Refusal(() => all.Find("pulse-9"))),
            ("nochip", Refusal(() => GpioChip.Open("/dev/gpiochip99"))),
            ("nolabel", Refusal(() => GpioChip.Open("pumps"))),
            ("notachip", Refusal(() => GpioChip.Open("/dev/null"))),
            ("noline", Refusal(() => byLabel.Line(2))));
    }

    private static string Values()
    {
        using var chip = GpioChip.Open(Meters);
        GpioLineSettings relay = new() { Offset = 7, Direction = GpioDirection.Output, InitialValue = true };
        GpioLineSettings lamp = new() { Offset = 8, Direction = GpioDirection.Output, ActiveLow = true };
        GpioLineSettings input = new() { Offset = 0, ActiveLow = true, Edges = GpioEdges.Rising, Clock = GpioClock.Realtime };
        using var lines = chip.Request(new() { Consumer = "values", Lines = [relay, lamp, input] });
        var start = (Bench.Level(Meters, 7), Bench.Level(Meters, 8));
        lines.Set(0, false);
        lines.Set(1, true);
        var changed = (Bench.Level(Meters, 7), Bench.Level(Meters, 8));
        lines.SetValues(0b01, 0b11);
        var both = (Bench.Level(Meters, 7), Bench.Level(Meters, 8), lines.GetValues(0b111));
        var info = chip.Line(8);

        // Active low: the edge is where the level falls.
        Bench.SetLevel(Meters, 0, true);
        var before = Time.GetUtcNow();
        Bench.SetLevel(Meters, 0, false);
        var events = new GpioEvent[4];
        var count = lines.Read(events);
        var late = (long)(events[0].TimestampNs / 1000) - (before.Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

        // The monotonic clock is the one of TimeProvider.
        lines.Reconfigure([relay, lamp with { Drive = GpioDrive.OpenDrain }, input with { ActiveLow = false, Clock = GpioClock.Monotonic }]);
        var ticks = Time.GetTimestamp();
        Bench.SetLevel(Meters, 0, true);
        var again = lines.Read(events.AsSpan(1));
        var monotonicLate = ((long)events[1].TimestampNs - ticks) / 1000;
        Bench.SetLevel(Meters, 0, false);
        return Trial.Facts(
            ("start", start),
            ("changed", changed),
            ("both", both),
            ("info", $"{info.Title} {info.Consumer} {info.Direction} {(info.ActiveLow ? "active-low" : "")}"),
            ("edges", $"{count}+{again}"),
            ("realtime-us", late),
            ("monotonic-us", monotonicLate),
            ("numbers", $"{events[0].LineSequence},{events[1].LineSequence}"),
            ("drive", chip.Line(8).Drive),
            ("input", Trial.Refusal<InvalidOperationException>(() => lines.Set(2, true), refused => refused.Message)));
    }

    private static async Task<string> CountAsync(int buffer, int pulses, int hertz)
    {
        using var chip = GpioChip.Open(Meters);
        using var lines = chip.Request(new() { Consumer = "count", Lines = [new() { Offset = 0, Edges = GpioEdges.Rising }], EventBufferSize = buffer });
        var counter = NewCounter();
        var sender = Bench.Pulse(Bench.Pull(Meters, 0), pulses, hertz);
        await Bench.CountAsync(lines, [counter], sender);
        var (sent, seconds) = await Bench.SentAsync(sender);
        return Trial.Facts(("sent", sent), ("hertz", (int)(sent / seconds)), ("count", counter.Count), ("lost", counter.State.Lost));
    }

    /// <summary>Six meters at 50 Hz, in one request; memory is measured over the middle of it.</summary>
    private static async Task<string> SixAsync(int pulses)
    {
        const int Lines = 6;
        using var chip = GpioChip.Open(Meters);
        using var lines = chip.Request(new()
        {
            Consumer = "six",
            Lines = [.. Enumerable.Range(0, Lines).Select(i => new GpioLineSettings { Offset = i, Edges = GpioEdges.Rising })],
            EventBufferSize = GpioLineRequest.MaxEventBuffer,
        });
        var counters = Enumerable.Range(0, Lines).Select(_ => NewCounter()).ToArray();
        var senders = Enumerable.Range(0, Lines).Select(i => Bench.Pulse(Bench.Pull(Meters, i), pulses, 50)).ToArray();
        var events = new GpioEvent[64];
        long taken = 0, from = 0, bytes = 0;
        int waits = 0, count;
        bool isOver;
        do
        {
            isOver = senders.All(sender => sender.HasExited);
            await lines.WaitAsync(Bench.Idle, CancellationToken.None);
            waits++;
            count = Bench.Take(lines, counters, events);
            taken += count;
            if (from == 0 && taken >= Lines * pulses / 5)
            {
                from = taken;
                bytes = GC.GetTotalAllocatedBytes(precise: true);
            }
            else if (from > 0 && taken >= Lines * pulses * 4 / 5)
            {
                bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
                from = -taken;
            }
        }
        while (count > 0 || !isOver);

        var sent = 0;
        foreach (var sender in senders)
        {
            sent += (await Bench.SentAsync(sender)).Pulses;
        }

        return Trial.Facts(
            ("sent", sent),
            ("counts", string.Join(",", counters.Select(counter => counter.Count))),
            ("lost", counters.Sum(counter => counter.State.Lost)),
            ("waits", waits),
            ("bytes", from < 0 ? bytes : -1));
    }

    /// <summary>
    /// Pulses of 40 ms with four bounces of 1 ms, once with the kernel's debounce and once without, where the counter tells bounce by its rate. On a machine that stands still now and then a
    /// bounce can last as long as a pulse; then the same is tried again. No edge may be missing in any case.
    /// </summary>
    private static async Task<string> DebounceAsync(int pulses)
    {
        using var chip = GpioChip.Open(Meters);
        GpioLineSettings line = new() { Offset = 0, Edges = GpioEdges.Rising };
        using var quiet = chip.Request(new() { Consumer = "debounce", Lines = [line with { Debounce = TimeSpan.FromMilliseconds(10) }], EventBufferSize = 1024 });
        using var raw = chip.Request(new() { Consumer = "debounce", Lines = [line with { Offset = 1 }], EventBufferSize = 1024 });
        EdgeCounterState before = default, after = default;
        EdgeCounter debounced = NewCounter(), judged = new(TimeSpan.FromMilliseconds(60));
        judged.Requested();
        int tries = 0;
        long left = 0;
        while (tries < MostTries)
        {
            tries++;
            (before, left) = (judged.State, debounced.Count);
            using var first = Bench.Pulse(Bench.Pull(Meters, 0), pulses, 8, 40_000, 4, 1000);
            using var second = Bench.Pulse(Bench.Pull(Meters, 1), pulses, 8, 40_000, 4, 1000);
            await Task.WhenAll(Bench.CountAsync(quiet, [debounced], first), Bench.CountAsync(raw, [judged], second));
            (after, left) = (judged.State, debounced.Count - left);
            if (left == pulses && after.Count - before.Count == pulses)
            {
                break;
            }
        }

        return Trial.Facts(
            ("sent", pulses),
            ("debounced", left),
            ("period-us", (int)chip.Line(0).Debounce.TotalMicroseconds),
            ("judged", after.Count - before.Count),
            ("toofast", after.TooFast - before.TooFast),
            ("missing", (5 * pulses * tries) - after.Edges),
            ("tries", tries));
    }

    /// <summary>What the rule refuses: levels of 5 ms under a debounce of 2 ms.</summary>
    private static async Task<string> DebounceTooLongAsync()
    {
        using var chip = GpioChip.Open(Meters);
        using var lines = chip.Request(new() { Consumer = "debounce", Lines = [new() { Offset = 0, Edges = GpioEdges.Rising, Debounce = TimeSpan.FromMilliseconds(2) }], EventBufferSize = 1024 });
        long count = 100;
        for (var tries = 0; tries < MostTries && count == 100; tries++)
        {
            var counter = NewCounter();
            using var sender = Bench.Pulse(Bench.Pull(Meters, 0), 100, 100);
            await Bench.CountAsync(lines, [counter], sender);
            count = counter.Count;
        }

        return Trial.Facts(
            ("sent", 100),
            ("count", count),
            ("rule", PulseRules.CheckDebounce(TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(5)) ?? "none"));
    }

    /// <summary>Nobody reads while more comes than the buffer holds.</summary>
    private static async Task<string> OverflowAsync()
    {
        using var chip = GpioChip.Open(Meters);
        using var lines = chip.Request(new() { Consumer = "overflow", Lines = [new() { Offset = 0, Edges = GpioEdges.Rising }] });
        using var sender = Bench.Pulse(Bench.Pull(Meters, 0), 1000, 0);
        var (sent, _) = await Bench.SentAsync(sender);
        var counter = NewCounter();
        var events = new GpioEvent[64];
        var count = lines.Read(events);
        var missing = 0L;
        foreach (var e in events.AsSpan(0, count))
        {
            missing += counter.Add(e).Missing;
        }

        return Trial.Facts(("sent", sent), ("read", count), ("count", counter.Count), ("lost", counter.State.Lost), ("said", missing));
    }

    private static async Task<string> TakenAsync()
    {
        using var other = Programs.StartAgain("take", "lamp");
        await other.StandardOutput.ReadLineAsync();
        using var chip = GpioChip.Open(Meters);
        GpioLineRequest request = new() { Consumer = "taken", Lines = [new() { Offset = 0 }, new() { Offset = 8 }] };
        var busy = Refusal(() => chip.Request(request));
        other.StandardInput.Close();
        await other.WaitForExitAsync();
        using var lines = chip.Request(request);
        return Trial.Facts(("busy", busy), ("after", "given"));
    }

    private static async Task<string> NoPermissionAsync(string path) => Trial.Facts(("said", await Programs.SaidByNobodyAsync("open", path)));

    /// <summary>Descriptors that hold something else than expected are refused, and stay the caller's.</summary>
    private static string Mismatch()
    {
        using var chip = GpioChip.Open(Meters);
        using var belts = GpioChip.Open(Belts);
        GpioLineSettings first = new() { Offset = 2, Edges = GpioEdges.Rising };
        GpioLineRequest request = new() { Consumer = "adopt", Lines = [first, first with { Offset = 5 }] };
        using var lines = chip.Request(request);
        var copy = Pass(lines.Descriptor);
        using var pipe = new AnonymousPipeServerStream();
        using var notLines = Pass(new SafeFileHandle(pipe.SafePipeHandle.DangerousGetHandle(), ownsHandle: false));
        var facts = new (string, object)[]
        {
            ("order", Refusal(() => GpioLines.Adopt(copy, chip, request with { Lines = [first with { Offset = 5 }, first] }))),
            ("chip", Refusal(() => GpioLines.Adopt(copy, belts, request with { Lines = [first with { Offset = 0 }, first with { Offset = 1 }] }))),
            ("fewer", Refusal(() => GpioLines.Adopt(copy, chip, request with { Lines = [first] }))),
            ("more", Refusal(() => GpioLines.Adopt(copy, chip, request with { Lines = [.. request.Lines, first with { Offset = 4 }] }))),
            ("settings", Refusal(() => GpioLines.Adopt(copy, chip, request with { Lines = [first, first with { Offset = 5, Edges = GpioEdges.Both }] }))),
            ("consumer", Refusal(() => GpioLines.Adopt(copy, chip, request with { Consumer = "somebody" }))),
            ("pipe", Refusal(() => GpioLines.Adopt(notLines, chip, request))),
        };

        // The same descriptor is adopted, released and adopted again while somebody else has a copy: it can be waited for each time.
        var events = new GpioEvent[4];
        var read = 0;
        for (var i = 0; i < 3; i++)
        {
            using var adopted = GpioLines.Adopt(i == 0 ? copy : Pass(lines.Descriptor), chip, request);
            var wait = adopted.WaitAsync(TimeSpan.FromSeconds(5), CancellationToken.None);
            Bench.SetLevel(Meters, 5, true);
            Bench.SetLevel(Meters, 5, false);
            read += wait.AsTask().GetAwaiter().GetResult() ? adopted.Read(events) : 0;
        }

        return Trial.Facts([.. facts, ("read", read), ("number", events[0].LineSequence)]);
    }

    /// <summary>A chip that goes while its line is waited for, and comes back.</summary>
    private static async Task<string> UnpluggedAsync()
    {
        string gone, value;
        using (var chip = GpioChip.Open(Expander))
        using (var lines = chip.Request(new() { Consumer = "unplugged", Lines = [new() { Offset = 0, Edges = GpioEdges.Rising }] }))
        {
            var wait = lines.WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None).AsTask();
            Bench.Plug(Expander, isIn: false);
            var isTold = await wait;
            gone = isTold ? Refusal(() => lines.Read(new GpioEvent[4])) : "nothing";
            value = Refusal(() => lines.Get(0)) + " " + Refusal(() => chip.Line(0));
        }

        var away = Refusal(() => GpioInventory.Read().Find("door"));
        Bench.Plug(Expander, isIn: true);
        var place = GpioInventory.Read().Find("door");
        using var back = GpioChip.Open(place.Chip);
        using var again = back.Request(new() { Consumer = "unplugged", Lines = [new() { Offset = place.Line.Offset, Edges = GpioEdges.Rising }], EventBufferSize = 1024 });
        var counter = NewCounter();
        using var sender = Bench.Pulse(Bench.Pull(Expander, 0), 100, 0);
        await Bench.CountAsync(again, [counter], sender);
        return Trial.Facts(("gone", gone), ("value", value), ("away", away), ("count", counter.Count));
    }

    /// <summary>The counting process is killed again and again while pulses come.</summary>
    private static async Task<string> KeptAsync(int kills, TimeSpan life)
    {
        const string State = "/run/kept.state";
        const string Stop = "/run/kept.stop";
        using var holder = new Holder("/run/kept.socket");
        var (process, said) = await holder.StartAsync("pulse-3", State, Stop);
        List<string> begins = [said];
        using var enough = new CancellationTokenSource();
        var sending = SendAsync(Bench.Pull(Meters, 2), enough.Token);
        for (var kill = 0; kill < kills; kill++)
        {
            await Task.Delay(life, Time);
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
            (process, said) = await holder.StartAsync("pulse-3", State, Stop);
            begins.Add(said);
        }

        await enough.CancelAsync();
        var sent = await sending;
        File.WriteAllText(Stop, "");
        await process.WaitForExitAsync();
        process.Dispose();
        var total = Keeper.Load(State);
        return Trial.Facts(
            ("sent", sent),
            ("count", total.Count),
            ("recovered", total.Recovered),
            ("lost", total.Lost),
            ("breaks", total.Breaks),
            ("requested", begins.Count(b => b == "requested")),
            ("adopted", begins.Count(b => b == "adopted")));
    }

    /// <summary>Sends trains of pulses at 100 Hz, one after the other, until it is enough.</summary>
    private static async Task<long> SendAsync(string pull, CancellationToken enough)
    {
        long sent = 0;
        while (!enough.IsCancellationRequested)
        {
            using var sender = Bench.Pulse(pull, 100, 100);
            sent += (await Bench.SentAsync(sender)).Pulses;
        }

        return sent;
    }

    private static EdgeCounter NewCounter()
    {
        var counter = new EdgeCounter(TimeSpan.Zero);
        counter.Requested();
        return counter;
    }

    /// <summary>A copy of a descriptor as another process would get it.</summary>
    private static SafeFileHandle Pass(SafeFileHandle descriptor)
    {
        var path = $"/run/pass-{Guid.NewGuid():N}";
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var from = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        from.Connect(new UnixDomainSocketEndPoint(path));
        using var to = listener.Accept();
        DescriptorPassing.Send(from, "x"u8, descriptor);
        DescriptorPassing.Receive(to, new byte[1], out var passed);
        return passed.Single();
    }

    private static string Refusal(Func<object> act) => Trial.Refusal<GpioException>(() => (act() as IDisposable)?.Dispose(), refused => $"{refused.Fault}: {refused.Message}");

}
