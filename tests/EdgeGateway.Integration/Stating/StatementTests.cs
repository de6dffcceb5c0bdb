using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using EdgeGateway.Core;
using EdgeGateway.Integration.Gateway;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Integration.Stating;

/// <summary>The commands <c>statement</c> and <c>forecast</c> on a ledger of the simulated mine.</summary>
public sealed class StatementTests : IDisposable
{
    private static readonly TimeSpan BrowserLimit = TimeSpan.FromMinutes(2);

    private readonly string _folder = Directory.CreateTempSubdirectory("edgegateway-statement-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private string[] From(params string[] more) => ["--from", At("mine.ledger"), "--config", At("gateway.yaml"), "--profiles", RepositoryFiles.At("device-profiles"), .. more];

    private void Make(int days) => MineLedger.Write(_folder, Instant.Parse("2026-10-25T16:00:00Z") - TimeSpan.FromDays(days), Instant.Parse("2026-10-25T16:00:00Z"));

    [Fact]
    public async Task A_ledger_becomes_a_page_a_table_and_JSON_and_a_changed_one_nothing()
    {
        Make(2);
        var (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10", .. From("--key", At("mine.pem"), "--output", At("mine.html"))]);
        Assert.True(code == 0, errors);
        var page = await File.ReadAllTextAsync(At("mine.html"));
        Assert.Contains("Carbon statement", page, StringComparison.Ordinal);
        Assert.Contains("Links, roots and signatures were verified", page, StringComparison.Ordinal);
        Assert.Contains("(given)", page, StringComparison.Ordinal);
        Assert.Contains("methane after mining", page, StringComparison.Ordinal);

        (code, var json, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10-25", .. From("--format", "json")]);
        Assert.True(code == 0, errors);
        using (var document = JsonDocument.Parse(json))
        {
            var root = document.RootElement;
            Assert.True(root.GetProperty("period").GetProperty("complete").GetBoolean());
            Assert.Equal([1, 2], root.GetProperty("totals").EnumerateArray().Select(t => t.GetProperty("scope").GetInt32()));

            // The areas share the site among them, to the milligram.
            long Sum(string name) => root.GetProperty(name).EnumerateArray().Where(a => a.GetProperty("scope").GetInt32() == 2).Sum(a => a.GetProperty("milligramsCO2e").GetInt64());
            Assert.Equal(Sum("totals"), Sum("areas"));
            Assert.Equal(6, root.GetProperty("ownFootprint").GetProperty("meanWatts").GetInt32());
        }

        (code, var csv, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10", .. From("--format", "csv", "--area", "BC-01")]);
        Assert.True(code == 0, errors);
        Assert.StartsWith("row,from,to,device", csv, StringComparison.Ordinal);

        (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10", .. From("--area", "BC-1")]);
        Assert.Equal(2, code);
        Assert.Contains("BC-01", errors, StringComparison.Ordinal);
        (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "2025", .. From()]);
        Assert.Equal(1, code);
        Assert.Contains("no entry", errors, StringComparison.Ordinal);
        (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "yesterday", .. From()]);
        Assert.Equal(2, code);
        Assert.Contains("2026-10-31, 2026-10 or 2026", errors, StringComparison.Ordinal);

        var bytes = await File.ReadAllBytesAsync(At("mine.ledger"));
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(At("mine.ledger"), bytes);
        File.Delete(At("mine.html"));
        (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10", .. From("--output", At("mine.html"))]);
        Assert.Equal(2, code);
        Assert.Contains("line ", errors, StringComparison.Ordinal);
        Assert.False(File.Exists(At("mine.html")));
    }

    [Fact]
    public async Task A_forecast_is_made_or_refused_with_its_reason_and_scenarios_have_a_table()
    {
        Make(2);
        var (code, output, errors) = await GatewayProcess.CommandAsync(["forecast", "emissions", .. From()]);
        Assert.True(code == 0, errors);
        Assert.Contains("refused:", output, StringComparison.Ordinal);
        Assert.DoesNotContain("trials", output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(At("scenarios.yaml"), "schema: edgegateway/scenarios/1\nbase: { year: 2024, tonnes: 10250 }\nscenarios:\n  - { name: baseline, growthPercent: 3, efficiencyPercent: 1, driftPercent: -0.25, years: 20 }\n  - { name: growing, growthPercent: 3 }\n");
        (code, output, errors) = await GatewayProcess.CommandAsync("forecast", "peak", At("scenarios.yaml"));
        Assert.True(code == 0, errors);
        Assert.Contains("2031", output, StringComparison.Ordinal);
        Assert.Contains("not reached", output, StringComparison.Ordinal);

        await File.WriteAllTextAsync(At("table.csv"), "year,population,affluence,technology,impact\n2020,100,3,2,70\n2021,103,3.5,1.8,75\n2022,101,3.2,1.9,72\n2023,108,3.1,1.5,71\n2024,107,4,1.7,80\n2025,112,4.4,1.4,83\n");
        (code, output, errors) = await GatewayProcess.CommandAsync("forecast", "stirpat", At("table.csv"));
        Assert.True(code == 0, errors);
        Assert.Contains("6 observations", output, StringComparison.Ordinal);
        await File.WriteAllTextAsync(At("table.csv"), "year,population,affluence,technology\n2020,1,2,3\n");
        (code, _, errors) = await GatewayProcess.CommandAsync("forecast", "stirpat", At("table.csv"));
        Assert.Equal(2, code);
        Assert.Contains("no column 'impact'", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_of_scenarios_is_checked_alone_and_with_the_folder_it_lies_in()
    {
        const string Good = "schema: edgegateway/scenarios/1\nbase: { year: 2024, tonnes: 10250 }\nscenarios:\n  - { name: baseline, growthPercent: 3 }\n";
        Directory.CreateDirectory(At("plans"));
        var file = At(Path.Combine("plans", "scenarios.yaml"));
        foreach (var (text, place, what, says) in new[]
        {
            (Good, file, "", "1 scenarios, from 2024: usable"),
            (Good, At("plans"), "", "1 scenarios, from 2024: usable"),
            (Good.Replace("base: { year: 2024, tonnes: 10250 }\n", "", StringComparison.Ordinal), file, "", "1 scenarios, from the year of the statement: usable"),
            (Good.Replace("growthPercent", "growth", StringComparison.Ordinal), file, "scenarios.yaml:4:23: error: unknown key 'growth'", "not usable"),
            (Good.Replace("growthPercent: 3", "growthPercent: -120", StringComparison.Ordinal), At("plans"), "scenarios.yaml: error: ", "not usable"),
        })
        {
            await File.WriteAllTextAsync(file, text);
            var (code, output, errors) = await GatewayProcess.CommandAsync("check", place);
            Assert.Equal(what.Length == 0 ? 0 : 2, code);
            Assert.Contains(what, errors, StringComparison.Ordinal);
            Assert.Contains($"{file}: {says}", output, StringComparison.Ordinal);
        }
    }

    /// <summary><c>UPDATE_PICTURES=1 dotnet test</c> makes the pictures of the documentation anew, from forty days.</summary>
    [BrowserFact]
    public async Task The_page_is_drawn_by_a_browser_and_prints_on_a_few_pages()
    {
        var isForDocs = Environment.GetEnvironmentVariable("UPDATE_PICTURES") == "1";
        Make(isForDocs ? 40 : 2);
        await File.WriteAllTextAsync(At("scenarios.yaml"), "schema: edgegateway/scenarios/1\nbase: { year: 2025, tonnes: 1100 }\nscenarios:\n  - { name: as now, growthPercent: 3, efficiencyPercent: 1, driftPercent: -0.25, years: 20 }\n  - { name: efficient, growthPercent: 3, efficiencyPercent: 2.2, driftPercent: -0.35, years: 20 }\n");
        foreach (var language in new[] { "en", "zh" })
        {
            var page = At($"statement-{language}.html");
            var (code, _, errors) = await GatewayProcess.CommandAsync(["statement", "2026-10", .. From("--key", At("mine.pem"), "--scenarios", At("scenarios.yaml"), "--language", language, "--output", page)]);
            Assert.True(code == 0, errors);

            var picture = At($"statement-{language}.png");
            await BrowseAsync($"--screenshot={picture}", "--window-size=1000,4600", "--hide-scrollbars", new Uri(page).AbsoluteUri);
            var png = await File.ReadAllBytesAsync(picture);
            Assert.Equal((1000, 4600), (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));
            Assert.True(png.Length > 60_000, $"{png.Length} bytes are an empty page");

            var print = At($"statement-{language}.pdf");
            await BrowseAsync($"--print-to-pdf={print}", "--no-pdf-header-footer", new Uri(page).AbsoluteUri);
            var pages = Encoding.Latin1.GetString(await File.ReadAllBytesAsync(print)).Split("/Type /Page\n").Length - 1;
            Assert.InRange(pages, 2, 8);
            if (isForDocs)
            {
                Directory.CreateDirectory(RepositoryFiles.At("docs/pictures"));
                File.Copy(picture, RepositoryFiles.At($"docs/pictures/statement-{language}.png"), overwrite: true);
                File.Copy(page, Path.Combine(Path.GetTempPath(), $"statement-{language}.html"), overwrite: true);
            }
        }
    }

    private async Task BrowseAsync(params string[] arguments)
    {
        using var browser = Process.Start(new ProcessStartInfo(
            BrowserFactAttribute.Program.Value!,
            ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-device-scale-factor=1", $"--user-data-dir={At("browser")}", .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        try
        {
            var output = browser.StandardOutput.ReadToEndAsync();
            var errors = browser.StandardError.ReadToEndAsync();
            await browser.WaitForExitAsync().WaitAsync(BrowserLimit);
            Assert.True(browser.ExitCode == 0, await output + await errors);
        }
        finally
        {
            if (!browser.HasExited)
            {
                browser.Kill(entireProcessTree: true);
            }
        }
    }
}
