using EdgeGateway.Commands.Detecting;
using EdgeGateway.Core.Detection.Novelty;
using EdgeGateway.Core.Detection.Scoring;

namespace EdgeGateway.Integration.Detection;

public sealed class DetectBenchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("detect-bench-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private static string Csv(int rows, Func<int, string> value) => "timestamp,value\n" + string.Concat(
        Enumerable.Range(0, rows).Select(i => $"{new DateTime(2026, 3, 2).AddMinutes(5 * i):yyyy-MM-dd HH:mm:ss},{value(i)}\n"));

    [Fact]
    public void A_labelled_folder_is_read_run_and_scored()
    {
        var random = new Random(1);
        Write("data/pumps/one.csv", Csv(2000, i => $"{random.NextDouble() + (i is >= 1500 and < 1520 ? 9 : 0):R}"));
        Write("data/pumps/two.csv", Csv(1000, i => i % 100 == 0 ? "" : $"{random.NextDouble():R}"));
        Write("data/fans/three.csv", Csv(1000, _ => "7"));
        Write("labels/combined_windows.json", """{ "pumps/one.csv": [["2026-03-07 04:10:00.000000", "2026-03-07 06:35:00.000000"]], "fans/three.csv": [] }""");

        var series = LabelledFolder.Read(_folder);
        Assert.Equal(["fans/three.csv", "pumps/one.csv", "pumps/two.csv"], series.Select(s => s.Name));
        Assert.Equal([new RowRange(1490, 1519)], series[1].Windows);
        Assert.True(double.IsNaN(series[2].Values[100]));

        var bench = new DetectBench();
        foreach (var one in series)
        {
            bench.Run(one, NoveltySettings.Full, 1, 0);
        }

        var result = bench.Result();
        Assert.Equal((1, 1), (result.Profiles[0].Score.Windows, result.Profiles[0].Score.Found));
        Assert.InRange(result.Profiles[0].Score.Score, 80, 100);
        Assert.Equal(["fans", "pumps"], result.Categories.Select(c => c.Name));
        Assert.Equal(1, result.AtThreshold.Recall);

        // Another folder's thresholds: its own best are found again, and one that no row reaches finds nothing.
        Assert.Equal(result.Profiles, bench.Result(bench.Thresholds()).Profiles);
        var none = bench.Result([double.PositiveInfinity, double.PositiveInfinity, double.PositiveInfinity]);
        Assert.Equal((0, 0, 0.0), (none.Profiles[0].Score.Found, none.Profiles[0].Score.FalseAlarms, none.Profiles[0].Score.Score));
        Assert.Equal(0, none.AtThreshold.Alarms);
    }

    [Theory]
    [InlineData("2026-03-02 00:00:00", "data/a/b.csv:2: '2026-03-02 00:00:00' is not 'timestamp,value'.")]
    [InlineData("yesterday,1", "data/a/b.csv:2: 'yesterday,1' is not 'timestamp,value'.")]
    [InlineData("2026-03-02 00:00:00,much", "data/a/b.csv:2: 'much' is no number")]
    [InlineData("2026-03-02 00:00:00,1", "a/b.csv has no row at '2026-03-03 00:00:00'.")]
    public void What_is_wrong_with_a_folder_is_said_with_its_place(string line, string said)
    {
        Write("data/a/b.csv", $"timestamp,value\n{line}\n");
        Write("labels/combined_windows.json", """{ "a/b.csv": [["2026-03-03 00:00:00", "2026-03-03 00:00:00"]] }""");
        Assert.Contains(said, Assert.Throws<InvalidDataException>(() => LabelledFolder.Read(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_labels_is_refused() =>
        Assert.Contains("is no labelled folder", Assert.Throws<InvalidDataException>(() => LabelledFolder.Read(_folder)).Message, StringComparison.Ordinal);
}
