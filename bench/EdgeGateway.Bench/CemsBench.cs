using System.CommandLine;
using EdgeGateway.Core;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.Site;
using EdgeGateway.Core.State;
using EdgeGateway.Protocols.Dlt645;
using EdgeGateway.Protocols.Hj212;

namespace EdgeGateway.Bench;

/// <summary>Stacks: what their accounting adds to the pipeline for a sample, for an hour and for a checkpoint, by rule set.</summary>
internal static class CemsBench
{
    private const int Rounds = 5;
    private const int Hours = 200;
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(5);

    public static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print JSON." };
        var command = new Command("cems", "Time and allocations of an hour record of a stack, by rule set, and what its state adds to a checkpoint, beside the same device without a stack; and the cost of a packet of HJ 212 and of a frame of DL/T 645.") { json };
        command.SetAction((result, _) =>
        {
            var report = new Report($"cems: one stack of 9 points read every {Poll.TotalSeconds} s, {Hours} hours a round, median of {Rounds} rounds; one hour in ten is missing");
            var (without, bytes, _, plain) = Measure(null);
            report.Add("without a stack", without, "µs an hour of samples, pipeline and feed");
            foreach (var rules in (string[])["part75", "hj75", "eu-mrr"])
            {
                var (time, allocated, records, state) = Measure(rules);
                report.Add($"{rules}: hour record", time - without, "µs an hour, its samples included");
                report.Add($"{rules}: allocated", allocated - bytes, "bytes an hour");
                report.Add($"{rules}: records", records, "records an hour, revisions included");
                report.Add($"{rules}: state", state - plain, "bytes in a checkpoint");
            }

            AddFrames(report);
            report.Print(result.GetValue(json));
            return Task.CompletedTask;
        });
        return command;
    }

    // A real-time packet of four factors, and the answer of a meter to a question for its energy (protocols-cn 1.4 and 2.4).
    private static void AddFrames(Report report)
    {
        var packet = Hj212Packet.Make(
            "20250301120000123", Hj212System.AirSource, Hj212Command.RealTime, "123456", "010000A8900016F000169DC0", Hj212Flag.Of(wantsAnswer: true),
            [
                [new("DataTime", "20250301120000")],
                .. ((string[])["a05001", "a19001", "a21002", "a21026"]).Select(code => (IReadOnlyList<Hj212Field>)[new($"{code}-Rtd", "236412.5"), new($"{code}-Flag", "N")]),
            ]);
        var frame = Hj212Frame.Write(packet);
        report.Add("hj212: packet written", Frames(() => Hj212Frame.Write(packet).Length), $"µs, {frame.Length} bytes");
        report.Add("hj212: packet read", Frames(() => Hj212Packet.Parse(Hj212Frame.SegmentOf(frame.AsSpan(0, Hj212Frame.Find(frame).Length)), out _).Groups.Count), "µs, found, checked and taken apart");

        byte[] answer = [0x68, 0x61, 0x01, 0, 0, 0, 0, 0x68, 0x91, 0x08, 0x33, 0x33, 0x34, 0x33, 0x59, 0x33, 0x33, 0x33, 0x8A, 0x16];
        var (data, written) = (new byte[byte.MaxValue], new byte[Dlt645Frame.MaxLength]);
        var length = Dlt645Frame.Read(answer, data, out var meter, out var control);
        report.Add("dlt645: frame written", Frames(() => Dlt645Frame.Write(written, meter, control, data.AsSpan(0, length))), $"µs, {answer.Length} bytes");
        report.Add("dlt645: frame read", Frames(() => Dlt645Frame.Read(answer.AsSpan(0, Dlt645Frame.Find(answer).Length), data, out _, out _)), "µs, found, checked and taken apart");
    }

    private static double Frames(Func<int> work)
    {
        const int Frames = 20_000;
        var times = new List<double>();
        var seen = 0L;
        for (var round = 0; round <= Rounds; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            for (var i = 0; i < Frames; i++)
            {
                seen += work();
            }

            times.Add(TimeProvider.System.GetElapsedTime(started).TotalMicroseconds / Frames);
        }

        return seen > 0 ? times.Skip(1).Order().ElementAt(Rounds / 2) : throw new InvalidOperationException("the work did nothing");
    }

    private static (double Microseconds, double Allocated, double Records, double State) Measure(string? rules)
    {
        var site = SiteOf(rules);
        var encoder = new FeedEncoder(site, FeedHeads.Start(1), "1");
        var pipeline = new Pipeline(site, FactorSet.BuiltIn(), encoder);
        var now = Instant.Parse("2026-01-01T00:00:00Z");
        var (times, allocated) = (new List<double>(), 0L);
        for (var round = 0; round <= Rounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            var started = TimeProvider.System.GetTimestamp();
            now = Feed(site, pipeline, encoder, now);
            if (round > 0)
            {
                times.Add(TimeProvider.System.GetElapsedTime(started).TotalMicroseconds / Hours);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
            }
        }

        var writer = new StateWriter();
        pipeline.Save(writer);
        var records = (encoder.Heads[FeedStream.Cems] - 1) / (double)(Hours * (Rounds + 1));
        return (times.Order().ElementAt(Rounds / 2), allocated / (double)(Rounds * Hours), records, writer.Written.Length);
    }

    private static Instant Feed(SiteModel site, Pipeline pipeline, FeedEncoder encoder, Instant now)
    {
        var polls = Hours * (int)(3600 / Poll.TotalSeconds);
        for (var poll = 0; poll < polls; poll++, now += Poll)
        {
            var isMissing = poll / (polls / Hours) % 10 == 9;
            foreach (var point in site.Points)
            {
                var value = point.Id switch { "co2" => 12 + (poll % 7 * 0.1), "so2" => 20, "nox" => 30, "o2" => 7, "temperature" => 120, "pressure" => -120, "velocity" => 15, "moisture" => 9, _ => 0 };
                pipeline.Process(isMissing && point.Id == "co2" ? Sample.Missing(point.Index, now, QualityReason.Timeout) : new Sample(point.Index, now, value, 0, Quality.Good));
            }

            pipeline.Advance(now);
            if (poll % 12 == 0)
            {
                _ = encoder.Flush(now);
            }
        }

        return now;
    }

    private static SiteModel SiteOf(string? rules)
    {
        var gases = rules == "part75" ? "[{ gas: co2, span: 20, potential: 20 }]" : "[{ gas: co2, span: 20 }, { gas: so2, span: 200, limit: { hour: 35, day: 35, referenceOxygen: 6 } }, { gas: nox, span: 200, limit: { hour: 50, referenceOxygen: 6 } }]";
        var block = rules is null ? "" : $"cems: {{ rules: {rules}, ambient: 101.3, area: 3.14, potentialFlow: 9000000, gases: {gases}, operating: {{ point: velocity, above: 3, full: 16 }}, status: {{ point: state, zeroGas: [2], spanGas: [3] }} }}";
        var (model, problems) = SiteLoader.Load(
            new("gateway.yaml", $$"""
                schema: edgegateway/gateway/1
                site: { id: plant, timezone: UTC, region: CN }
                gateway: { id: gw }
                novelty: off
                buses: [{ id: lan, type: modbus-tcp, host: 127.0.0.1 }]
                devices:
                  - id: stack
                    profile: stack
                    bus: lan
                    unit: 1
                    {{block}}
                """),
            id => new($"{id}.yaml", """
                schema: edgegateway/device-profile/1
                id: stack
                kind: gas-analyser
                vendor: Bench
                models: [M]
                revision: 1
                title: { en: Stack }
                sources: { manual: { type: document, ref: none } }
                transport: { modbus: { maxRegistersPerRead: 64 } }
                defaults: { table: input, wordOrder: high-first, poll: normal }
                poll: { fast: 1s, normal: 5s, slow: 60s }
                identify: [{ point: o2, min: -1, max: 25 }]
                points:
                  - { id: o2, at: 0, type: float32, unit: "%{vol}", role: gas.concentration.o2, source: [manual] }
                  - { id: co2, at: 2, type: float32, unit: "%{vol}", role: gas.concentration.co2, source: [manual] }
                  - { id: so2, at: 4, type: float32, unit: mg/m3, role: gas.concentration.so2, source: [manual] }
                  - { id: nox, at: 6, type: float32, unit: mg/m3, role: gas.concentration.nox, source: [manual] }
                  - { id: temperature, at: 8, type: float32, unit: Cel, role: flue.temperature, source: [manual] }
                  - { id: pressure, at: 10, type: float32, unit: Pa, role: flue.pressure.static, source: [manual] }
                  - { id: velocity, at: 12, type: float32, unit: m/s, role: flue.velocity, source: [manual] }
                  - { id: moisture, at: 14, type: float32, unit: "%{vol}", role: flue.moisture, source: [manual] }
                  - { id: state, at: 16, type: uint16, role: device.status, enum: { 0: measuring, 2: zero, 3: span }, source: [manual] }
                selfTest: [{ point: state, words: [2], value: 2 }]
                """));
        return model ?? throw new InvalidOperationException(string.Join('\n', problems));
    }
}
