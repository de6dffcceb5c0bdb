using System.Globalization;
using System.Text;
using System.Xml.Linq;
using EdgeGateway.Commands.Detecting;
using EdgeGateway.Core;
using EdgeGateway.Core.Drawing;
using EdgeGateway.Core.Feed;
using EdgeGateway.Core.State;
using EdgeGateway.Hosting;
using EdgeGateway.Replaying;
using EdgeGateway.Simulator.Labelled;
using EdgeGateway.Storage;
using EdgeGateway.Tests.Shared;
using EdgeGateway.Tests.Simulator;
using EdgeGateway.Verifying;

namespace EdgeGateway.Tests.Replaying;

/// <summary><c>edgegateway replay</c>: recorded samples through the gateway's own code.</summary>
public sealed class ReplayTests : IDisposable
{
    private static readonly DateTimeOffset Begin = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-replay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_wide_table_is_replayed_as_plain_gauges_and_a_frozen_one_is_found()
    {
        var result = Replay(File("wide.csv", Wide()));
        Assert.Equal((1200, 2), ((int)result.Samples, result.Points.Count));
        Assert.Equal("recording.power", result.Points[0].Name);
        Assert.Equal(0, result.Points[0].Missing);
        var finding = Assert.Single(result.Findings);
        Assert.Equal(("recording.flow", "stuck", Severity.Warning), (finding.Point, finding.Rule, finding.Severity));
        Assert.Null(finding.Cleared);
    }

    [Fact]
    public void A_long_table_carries_devices_and_qualities()
    {
        var result = Replay(File("long.csv", """
            value;quality;reason;point;device;time
            1,5;good;;power;m1;2026-03-02T08:00:00Z
            ;bad;timeout;power;m1;2026-03-02T08:00:01Z
            2.5;;;power;m1;2026-03-02T08:00:02Z
            7;uncertain;stale;power;m2;1772438402
            """));
        Assert.Equal(["m1.power", "m2.power"], result.Points.Select(p => p.Name));
        Assert.Equal((2, 1, 1.5, 2.5), ((int)result.Points[0].Values, (int)result.Points[0].Missing, result.Points[0].Min, result.Points[0].Max));
        Assert.Equal(Instant.Parse("2026-03-02T08:00:02Z"), result.Last);
    }

    [Fact]
    public void Bad_lines_are_named_with_line_and_column_and_the_good_ones_count()
    {
        var path = File("bad.csv", """
            # from the plant
            time,power,flow
            2026-03-02T08:00:00Z,1,2
            yesterday,1,2
            2026-03-02T08:00:01Z,1,zwei
            02/03/2026 08:00,1,2
            2026-03-02T08:00:02Z,1,2,3
            2026-03-02T08:00:03Z,"1",
            2026-03-02T08:00:04Z,NaN,4
            """);
        var recording = Surveyed(path);
        Assert.Equal(4, recording.Bad);
        Assert.Equal(
            [
                $"{path}:4:1: 'yesterday' is no time; write it like 2026-03-01T08:15:00Z, or as seconds since 1970",
                $"{path}:5:24: 'zwei' in column 'flow' is no number; leave it empty where there is no sample, write NaN where the value is missing",
                $"{path}:6:1: '02/03/2026 08:00' is no time; write it like 2026-03-01T08:15:00Z, or as seconds since 1970",
                $"{path}:7:26: 4 cells, but the heading has 3",
            ],
            recording.Problems);
        var result = Replay(path);
        Assert.Equal((4, 1), ((int)result.Points[0].Values + (int)result.Points[0].Missing, (int)result.Points[0].Missing));
        Assert.Equal(2, result.Points[1].Values);
    }

    [Theory]
    [InlineData("", "the file is empty")]
    [InlineData("time\n1\n", ":1:1: a heading of at least two columns is needed")]
    [InlineData("2026-03-02T08:00:00Z,5\n", ":1:22: the heading is missing: '5' is a number")]
    [InlineData("time,a,a\n", ":1:8: two columns are called 'a'")]
    [InlineData("time,a,\n", ":1:8: a column has no name")]
    public void What_is_no_table_is_told(string text, string words)
    {
        var path = File("no.csv", text);
        var thrown = Assert.Throws<InvalidDataException>(() => Surveyed(path));
        Assert.Contains(words, thrown.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-03-02 08:00:00", "2026-03-02T00:00:00.000Z")]
    [InlineData("2026-03-02T08:00:00.250", "2026-03-02T00:00:00.250Z")]
    [InlineData("2026-03-02T08:00:00+02:00", "2026-03-02T06:00:00.000Z")]
    [InlineData("2026-03-02T08:00:00Z", "2026-03-02T08:00:00.000Z")]
    [InlineData("1772438400", "2026-03-02T08:00:00.000Z")]
    [InlineData("1772438400.5", "2026-03-02T08:00:00.500Z")]
    [InlineData("1772438400000", "2026-03-02T08:00:00.000Z")]
    [InlineData("2026-03-02", "2026-03-01T16:00:00.000Z")]
    public void A_time_without_zone_is_that_of_the_site(string written, string instant)
    {
        var recording = Recordings.Open(File("t.csv", $"time,a\n{written},1\n"), TimeZoneInfo.FindSystemTimeZoneById("Asia/Shanghai"));
        recording.Survey(_ => { }, CancellationToken.None);
        Assert.Equal(instant, recording.First.ToString());
    }

    [Fact]
    public void The_same_input_gives_the_same_output_bit_by_bit_in_every_culture()
    {
        var path = File("wide.csv", Wide());
        var once = Told(path);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            var other = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            other.NumberFormat.NumberDecimalSeparator = ",";
            other.NumberFormat.NumberGroupSeparator = ".";
            other.NumberFormat.NegativeSign = "~";
            other.DateTimeFormat.ShortDatePattern = "dd/MM/yyyy";
            other.DateTimeFormat.TimeSeparator = "h";
            CultureInfo.CurrentCulture = other;
            Assert.Equal(once, Told(path));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }

        string Told(string file)
        {
            var recording = Surveyed(file);
            var result = Replay(isCharted: true, file);
            using var json = new MemoryStream();
            ReplayView.PrintJson(json, [recording], result, []);
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            ReplayView.Print(text, [recording], result, []);
            var charts = ReplayView.WriteCharts(Path.Combine(_folder, "charts"), result).Select(System.IO.File.ReadAllText);
            return Encoding.UTF8.GetString(json.ToArray()) + text + string.Concat(charts);
        }
    }

    [Fact]
    public void A_table_cut_into_files_is_merged_by_time()
    {
        var lines = Wide().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var odd = File("odd.csv", string.Join('\n', lines.Where((_, i) => i == 0 || i % 2 == 1)));
        var even = File("even.csv", string.Join('\n', lines.Where((_, i) => i % 2 == 0)));
        var whole = Replay(File("whole.csv", Wide()));
        var merged = Replay(odd, even);
        Assert.Equal(0, merged.Backwards);
        Assert.Equal(whole.Findings.Select(f => (f.Since, f.Rule, f.Text)), merged.Findings.Select(f => (f.Since, f.Rule, f.Text)));
        Assert.Equal(whole.Points.Select(p => (p.Name, p.Values, p.Mean, p.TopScore)), merged.Points.Select(p => (p.Name, p.Values, p.Mean, p.TopScore)));
    }

    [Fact]
    public void A_replay_of_what_a_site_saw_finds_what_its_gateway_found()
    {
        var run = LabelledSetTests.Short("belt-slip", 0.3);
        var site = LabelledSetTests.Site(run.Cell);
        var live = SimulatedBench.Play(run, site, CancellationToken.None);
        var table = new StringBuilder("time,device,point,value\n");
        var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
        while (samples.Now < run.End)
        {
            foreach (ref readonly var sample in samples.Step())
            {
                var point = site.Points[sample.Point];
                table.Append(CultureInfo.InvariantCulture, $"{sample.Time},{site.Devices[point.DeviceIndex].Id},{point.Id},{sample.Value:R}\n");
            }
        }

        var recording = Surveyed(File("site.csv", table.ToString()));
        var result = new Replayer(site).Run([recording], [[.. recording.Series.Select(s => Replayer.PlaceOf(site, s))]], charts: null, _ => { }, CancellationToken.None);
        Assert.NotEmpty(result.Findings);
        Assert.Equal(
            live.Findings.Select(f => (f.Rule, f.Point, f.Since)).Distinct(),
            result.Findings.Select(f => (f.Rule, f.Point, f.Since)));
        Assert.True(result.Milligrams[site.Devices.Single(d => d.Id == "meter").Index] > 0);
    }

    [Fact]
    public void An_episode_of_the_labelled_set_that_was_written_as_a_table_is_found_and_drawn()
    {
        var bench = SimulatedBench.Load(RepositoryFiles.At("docs/examples/labelled"), out _)!.With(new HashSet<string> { "belt-slip" });
        var recorded = Assert.Single(bench.Record(LabelledSeeds.Development, _folder, CancellationToken.None));
        Assert.Equal("belt-slip.csv", Path.GetFileName(recorded.File));
        var recording = Surveyed(recorded.File);
        Assert.Empty(recording.Problems);
        var site = LabelledSetTests.Site(recorded.Episode.Kind.Cell);
        IReadOnlyList<int?>[] places = [[.. recording.Series.Select(s => Replayer.PlaceOf(site, s))]];
        Assert.DoesNotContain(null, places[0]);
        var choice = new ChartChoice(recorded.ViewFrom, recorded.ViewTo, ["scale.belt_speed"]);
        var result = new Replayer(Replayer.AsRecorded(site, [recording], places)).Run([recording], places, choice, _ => { }, CancellationToken.None);
        var finding = Assert.Single(result.Findings, f => f.Rule == "slip");
        Assert.True(finding.Raised >= recorded.Episode.Start && finding.Raised <= recorded.Episode.End, finding.Raised.ToString());

        // Only the chosen point, and only the chosen time, is drawn; findings of another time are not listed.
        var drawn = Assert.Single(ReplayView.WriteCharts(Path.Combine(_folder, "charts"), result));
        Assert.Equal("scale.belt_speed.svg", Path.GetFileName(drawn));
        Assert.Contains("slip: ", System.IO.File.ReadAllText(drawn), StringComparison.Ordinal);
        var early = new ChartChoice(recording.First, recording.First!.Value + TimeSpan.FromMinutes(10), ["scale.belt_speed"]);
        result = new Replayer(Replayer.AsRecorded(site, [recording], places)).Run([recording], places, early, _ => { }, CancellationToken.None);
        Assert.DoesNotContain("slip: ", Assert.Single(result.Points, p => p.Chart is not null).Chart!.Draw() + System.IO.File.ReadAllText(Assert.Single(ReplayView.WriteCharts(Path.Combine(_folder, "early"), result))), StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_are_those_of_the_pipelines_own_detector()
    {
        // Six days at five minutes; then a level where the point has never been.
        var text = new StringBuilder("time,load\n");
        for (var i = 0; i < 1_800; i++)
        {
            var value = 50 + (20 * Math.Sin(i * 2 * Math.PI / 288)) + (i * 37 % 11 * 0.1) + (i == 1_700 ? 60 : 0);
            text.Append(CultureInfo.InvariantCulture, $"{Begin.AddMinutes(5 * i):yyyy-MM-dd'T'HH:mm:ss'Z'},{value:R}\n");
        }

        var point = Assert.Single(Replay(File("load.csv", text.ToString())).Points);
        Assert.True(point.IsScored);
        Assert.Equal(Begin.AddMinutes(5 * 1_700), point.TopScoreAt.ToDateTimeOffset());
        var finding = Assert.Single(point.Findings, f => f.Rule == "novelty" && f.Raised == point.TopScoreAt);
        Assert.True(point.TopScore > 0.2);
        Assert.Contains("load", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_recorded_feed_is_replayed_in_order_of_time_and_each_sample_once()
    {
        var path = Path.Combine(_folder, "feed.jsonl.gz");
        using (var recorder = new FeedRecorder(path))
        {
            Write(recorder, 3, """{"device":"m1","point":"power","time":"2026-03-02T08:00:04.000Z","value":5,"raw":"0x5","quality":"good"}""");
            Write(recorder, 1, """{"device":"m1","point":"power","time":"2026-03-02T08:00:00.000Z","value":3,"quality":"uncertain","reason":"out-of-range"},{"device":"m1","point":"power","time":"2026-03-02T08:00:02.000Z","value":null,"quality":"bad","reason":"timeout"}""");
            Write(recorder, 3, """{"device":"m1","point":"power","time":"2026-03-02T08:00:04.000Z","value":5,"raw":"0x5","quality":"good"}""");
            recorder.Write("t", "{\"v\":1,\"stream\":\"summary\",\"records\":[]}"u8, retained: false, Begin);
        }

        var recording = Surveyed(path);
        Assert.Equal(0, recording.Bad);
        Assert.Equal([Quality.Good, Quality.Bad(QualityReason.Timeout), Quality.Good], recording.Values(CancellationToken.None).Select(v => v.Quality));
        var result = Replay(path);
        Assert.Equal((3, 0), ((int)result.Samples, (int)result.Backwards));
        Assert.Equal("m1.power", Assert.Single(result.Points).Name);

        static void Write(FeedRecorder recorder, int sequence, string records) => recorder.Write(
            "t", Encoding.UTF8.GetBytes($$"""{"v":1,"site":"s","gateway":"g","stream":"sample","epoch":1,"seq":{{sequence}},"count":1,"lane":"live","records":[{{records}}]}"""), retained: false, Begin);
    }

    [Fact]
    public void The_store_of_a_gateway_is_replayed_under_the_configuration_that_it_keeps()
    {
        var run = LabelledSetTests.Short("belt-slip", 0.3);
        var loaded = LabelledSetTests.Loaded(run.Cell);
        var site = loaded.Model;
        var count = 0;
        using (var store = SqliteStore.Open(site.Storage with { Directory = _folder, SampleLogBytes = 8 << 20 }, ["centre"], TimeProvider.System))
        {
            store.Recover();
            store.SaveConfiguration(site.ConfigurationHash, loaded.Profiles.ToDictionary(p => p.Key, p => p.Value.Text).Append(new("gateway.yaml", loaded.Gateway.Text)).ToDictionary());
            var batch = new CommitBatch { ValueOf = StateRecovery.ValueOf(site) };
            var samples = new SimulatedSamples(site, run.Seed, run.Begin, run.Script());
            var waiting = new List<Sample>();
            while (samples.Now < run.End)
            {
                waiting.AddRange(samples.Step());
                count = samples.Now.UnixMilliseconds % 20_000 == 0 || samples.Now >= run.End ? Commit() : count;
            }

            int Commit()
            {
                batch.Input = new InputBatch(store.NextBatchNumber, samples.Now, Guid.Empty, samples.Now.UnixMilliseconds, null, waiting.ToArray());
                store.Commit(batch);
                batch.Clear();
                count += waiting.Count;
                waiting.Clear();
                return count;
            }
        }

        var recording = Surveyed(Path.Combine(_folder, "gateway.db"));
        Assert.Empty(recording.Problems);
        Assert.Equal(site.Points.Count, recording.Site!.Points.Count);
        var result = new Replayer(recording.Site).Run([recording], [[.. recording.Series.Select(s => Replayer.PlaceOf(recording.Site, s))]], charts: null, _ => { }, CancellationToken.None);
        Assert.Equal(count, result.Samples);
        Assert.Equal(
            SimulatedBench.Play(run, site, CancellationToken.None).Findings.Select(f => (f.Rule, f.Point, f.Since)).Distinct(),
            result.Findings.Select(f => (f.Rule, f.Point, f.Since)));
    }

    [Fact]
    public void What_was_not_recorded_is_not_said_to_be_silent()
    {
        var recording = Surveyed(RepositoryFiles.At("docs/examples/replay/belt.csv"));
        var site = LabelledSetTests.Site(LabelledSetTests.Short("belt-slip", 1).Cell);
        IReadOnlyList<int?>[] places = [[.. recording.Series.Select(s => Replayer.PlaceOf(site, s))]];
        var result = new Replayer(Replayer.AsRecorded(site, [recording], places)).Run([recording], places, charts: null, _ => { }, CancellationToken.None);
        Assert.Equal(("scale.belt_speed", "slip"), (Assert.Single(result.Findings).Point, result.Findings[0].Rule));
        Assert.NotNull(result.Findings[0].Cleared);

        // One row a minute of points that are polled each second.
        var sparse = Surveyed(File("sparse.csv", string.Join('\n', System.IO.File.ReadLines(recording.Path).Skip(1).Where((_, i) => i % 60 == 0))));
        Assert.Equal(TimeSpan.FromMinutes(1), sparse.Series[0].Period);
        Assert.DoesNotContain(new Replayer(Replayer.AsRecorded(site, [sparse], places)).Run([sparse], places, charts: null, _ => { }, CancellationToken.None).Findings, f => f.Rule == "offline");
    }

    [Fact]
    public void Strange_values_and_times_end_in_no_exception()
    {
        var result = Replay(File("strange.csv", """
            time,a
            2026-03-02T08:00:00Z,1e308
            2026-03-02T08:00:00Z,-1e308
            2025-03-02T08:00:00Z,Infinity
            2027-03-02T08:00:00Z,5
            1970-01-01T00:00:00Z,5
            """), isCharted: true);
        Assert.Equal(5, result.Samples);
        Assert.NotNull(XDocument.Parse(Assert.Single(result.Points).Chart!.Draw()).Root);
    }

    [Fact]
    public void A_chart_shows_the_extremes_of_each_moment_and_numbers_the_findings()
    {
        var first = Instant.From(Begin);
        var chart = new PointChart("<belt> & drive", "m/s", TimeZoneInfo.Utc, first, first + TimeSpan.FromDays(30));
        for (var i = 0; i < 100_000; i++)
        {
            chart.Add(first + TimeSpan.FromSeconds(i * 25.92), i == 54_321 ? 100 : 1 + (0.1 * (i % 7)), i == 54_321 ? 0.9 : 0);
        }

        chart.Add(new ChartBand(first + TimeSpan.FromDays(3), first + TimeSpan.FromDays(4), ChartGrade.Warning, "slow"));
        chart.Add(new ChartBand(first + TimeSpan.FromDays(29), null, ChartGrade.Alarm, "torn"));
        var svg = chart.Draw();
        var texts = XDocument.Parse(svg).Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value).ToList();
        Assert.Contains("<belt> & drive", texts);
        Assert.Contains("1  slow", texts);
        Assert.Contains("2  torn", texts);
        Assert.Contains("100", texts);
        Assert.True(svg.Length < 100_000);
    }

    private static Recording Surveyed(string path)
    {
        var recording = Recordings.Open(path, TimeZoneInfo.Utc);
        recording.Survey(_ => { }, CancellationToken.None);
        return recording;
    }

    private static ReplayResult Replay(params string[] paths) => Replay(false, paths);

    private static ReplayResult Replay(string path, bool isCharted) => Replay(isCharted, path);

    private static ReplayResult Replay(bool isCharted, params string[] paths)
    {
        var recordings = paths.Select(Surveyed).ToList();
        var site = GenericSite.Of(recordings.SelectMany(r => r.Series));
        return new Replayer(site).Run(
            recordings,
            [.. recordings.Select(r => (IReadOnlyList<int?>)[.. r.Series.Select(s => Replayer.PlaceOf(site, GenericSite.Named(s)))])],
            isCharted ? ChartChoice.All : null,
            _ => { },
            CancellationToken.None);
    }

    // Ten minutes: a power that rises, and a flow that waves for three minutes and then stands.
    private static string Wide()
    {
        var text = new StringBuilder("time,power,flow\n");
        for (var i = 0; i < 600; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{Begin.AddSeconds(i):yyyy-MM-dd'T'HH:mm:ss'Z'},{50 + (i * 0.01):R},{(i < 180 ? 20 + (i * 31 % 17) : 20)}\n");
        }

        return text.ToString();
    }

    private string File(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
