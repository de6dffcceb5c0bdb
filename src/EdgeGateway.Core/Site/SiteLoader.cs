using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using EdgeGateway.Core.Accounting;
using EdgeGateway.Core.Alarms;
using EdgeGateway.Core.Configuration;

namespace EdgeGateway.Core.Site;

/// <summary>Resolves <c>gateway.yaml</c> and the profiles it names into a <see cref="SiteModel"/>, or says everything that is wrong.</summary>
public static class SiteLoader
{
    /// <summary>Smallest budget of the store in bytes: the database, its write-ahead log and one checkpoint must fit.</summary>
    public const long MinBudgetBytes = 16L << 20;

    /// <summary>Loads a site. Touches no file and no wire.</summary>
    /// <param name="gateway">The text of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Gives the text of a profile by id, or null when there is none.</param>
    /// <param name="knownRegions">Regions that have emission factors; null: any region is taken.</param>
    /// <param name="knownProfiles">Ids of the profiles that exist, for suggestions.</param>
    /// <param name="inputRules">What the kernel cannot honour of an input of this computer; null: all is taken.</param>
    /// <param name="factors">The factors by which declared carbon accounts are checked; null: those of the program.</param>
    /// <param name="factorText">Gives the text of the site's own factor set by the name that the configuration has for it, or null when there is none; absent: the name is not followed.</param>
    /// <returns>The model, null when there is an error; and all problems.</returns>
    public static (SiteModel? Model, IReadOnlyList<Problem> Problems) Load(
        SourceText gateway,
        Func<string, SourceText?> profiles,
        IReadOnlySet<string>? knownRegions = null,
        IReadOnlyCollection<string>? knownProfiles = null,
        InputRules? inputRules = null,
        FactorSet? factors = null,
        Func<string, SourceText?>? factorText = null)
    {
        var problems = new ProblemCollector();
        if (YamlText.Read(gateway, problems) is not { } node)
        {
            return (null, problems.ToList());
        }

        GatewayShape.Root.Check(node, "the file", problems);
        if (node is not YamlMap map)
        {
            return (null, problems.ToList());
        }

        var root = new Section(map, GatewayShape.Root, map);
        var (factorFiles, ownText, own) = Factors(root, factorText, problems);
        if (own is not null)
        {
            factors = own;
            knownRegions = knownRegions is null ? null : own.KnownRegions.ToHashSet(StringComparer.Ordinal);
        }

        var site = root.Block("site", GatewayShape.Site);
        var region = Region(site, knownRegions, problems) ?? "";
        var gatewaySection = root.Block("gateway", GatewayShape.Gateway);
        var gatewayId = gatewaySection.Text("id") ?? "";
        var windows = Windows(root, problems);
        var zone = Zone(site, problems);
        var buses = SiteBuses.Resolve(root, zone, problems, inputRules);
        SiteBoard.Check(root, gatewaySection, problems);
        var library = new ProfileLibrary(profiles, knownProfiles ?? [], problems);
        var devices = new SiteDevices(library, buses, region, knownRegions, windows[0], zone, problems);
        devices.Resolve(root);
        MeteringTree.Check(devices.Placed, problems);

        var siteId = site.Text("id") ?? "";
        var model = new SiteModel
        {
            SiteId = siteId,
            SiteName = site.Text("name") ?? siteId,
            GatewayId = gatewayId,
            Language = site.Text("language") ?? AlarmMessages.Languages[0],
            TimeZone = zone,
            Region = region,
            Windows = windows,
            Buses = buses,
            Devices = [.. devices.Placed.Select(d => d.Model)],
            Points = RuleBinding.Bind(devices.Placed, devices.Points, problems),
            Uplinks = SiteUplinks.Resolve(root, gatewayId, new(Zone(site, new ProblemCollector()), windows, [.. devices.Placed.Select(d => d.Model)], devices.Points), problems),
            Storage = Storage(root, problems),
            OwnPowerWatts = gatewaySection.Watts("power"),
            StatusEvery = StatusEvery(gatewaySection, problems),
            MessageForEachPoll = gatewaySection.Text("sampleMessages") == "poll",
            HealthListen = Health(root, problems),
            Otlp = Otlp(root, problems),
            ClockHold = ClockHold(root, problems),
            NoveltyLeftOut = devices.NoveltyLeftOut,
            Factors = own,
            FactorFiles = factorFiles,
            ConfigurationHash = Hash(gateway, ownText is null ? library.Texts : library.Texts.Append(ownText)),
        };
        CheckDetectors(model, devices.Placed, problems);
        if (!problems.HasErrors)
        {
            SiteCarbon.Check(model, devices.Placed, factors ?? FactorSet.BuiltIn(), problems);
            SiteCems.Check(model, devices.Placed, problems);
        }

        return (problems.HasErrors ? null : model, problems.ToList());
    }

    /// <summary>The site's own factor set: its files, its text and what the text says.</summary>
    private static (FactorFiles? Files, SourceText? Text, FactorSet? Set) Factors(Section root, Func<string, SourceText?>? factorText, ProblemCollector problems)
    {
        var section = root.Block("factors", GatewayShape.Factors);
        if (section.Text("file") is not { } file)
        {
            return default;
        }

        var files = new FactorFiles(file, section.Text("key"), section.Text("signature"));
        if (files.Key is null && files.Signature is not null)
        {
            problems.Error(section.At("signature"), "a signature without a key says nothing", "Name the public key of who signs with 'key', or remove 'signature'");
        }

        if (factorText is null)
        {
            return (files, null, null);
        }

        if (factorText(file) is not { } text)
        {
            problems.Error(section.At("file"), $"there is no factor set '{file}'", "Put the file there, or correct the path (it is relative to this file)");
            return (files, null, null);
        }

        var (set, found) = FactorSetLoader.Load(text);
        foreach (var problem in found)
        {
            problems.Add(problem);
        }

        return (files, text, set);
    }

    /// <summary>Asks the table of detectors itself, so that what passes here can be made.</summary>
    private static void CheckDetectors(SiteModel model, IReadOnlyList<PlacedDevice> devices, ProblemCollector problems)
    {
        if (problems.HasErrors)
        {
            return;
        }

        foreach (var device in devices)
        {
            foreach (var point in device.Model.Points.Select(p => model.Points[p]))
            {
                foreach (var detector in point.Detectors)
                {
                    if (Detection.Detectors.FindFault(model, point, detector) is { } fault)
                    {
                        problems.Error(device.Section.Place, $"{device.Model.Id}.{point.Id}: {fault}", "Correct the detector's settings of this point, or those in its profile");
                    }
                }
            }
        }
    }

    internal static string? Region(Section section, IReadOnlySet<string>? known, ProblemCollector problems)
    {
        var region = section.Text("region");
        if (region is not null && known is not null && !known.Contains(region))
        {
            problems.Error(section.At("region"), $"there are no emission factors for the region '{region}'", $"{Spelling.Hint(region, known)}Known regions: {string.Join(", ", known.Order(StringComparer.Ordinal))}");
        }

        return region;
    }

    private static TimeZoneInfo Zone(Section site, ProblemCollector problems)
    {
        if (site.Text("timezone") is not { } name)
        {
            return TimeZoneInfo.Utc;
        }

        if (TimeZoneInfo.TryFindSystemTimeZoneById(name, out var zone))
        {
            return zone;
        }

        problems.Error(site.At("timezone"), $"the time zone '{name}' is unknown", $"{Spelling.Hint(name, TimeZoneInfo.GetSystemTimeZones().Select(z => z.Id))}Write an IANA name such as Asia/Shanghai or Europe/Berlin; 'timedatectl list-timezones' lists them");
        return TimeZoneInfo.Utc;
    }

    private static List<TimeSpan> Windows(Section root, ProblemCollector problems)
    {
        var windows = new List<TimeSpan>();
        foreach (var scalar in root.Scalars("windows"))
        {
            if (!Quantities.TryDuration(scalar.Text, out var width))
            {
                continue; // Reported by the shape.
            }

            if (width < TimeSpan.FromSeconds(1) || width > TimeSpan.FromDays(1))
            {
                problems.Error(scalar, $"a window of {scalar.Text} is not possible", "Windows are from 1s to 1d wide; longer periods are sums of days");
            }
            else if (windows.Count == 0 && TimeSpan.FromMinutes(15).Ticks % width.Ticks != 0)
            {
                problems.Error(scalar, $"the first window, {scalar.Text}, does not divide 15m", "Emission entries are made every 15 minutes from the first window: choose 10s, 30s, 1m, 5m or 15m");
            }
            else if (windows.Count > 0 && width <= windows[^1])
            {
                problems.Error(scalar, $"the window {scalar.Text} is not wider than the one before it", "Write the windows in ascending order, each once");
            }
            else if (windows.Count > 0 && width.Ticks % windows[^1].Ticks != 0)
            {
                problems.Error(scalar, $"the window {scalar.Text} is not a whole number of the windows before it", $"Choose a multiple of {windows[^1]:c}, so that wider windows are made of narrower ones");
            }
            else if (TimeSpan.TicksPerDay % width.Ticks != 0)
            {
                problems.Error(scalar, $"a day is not a whole number of windows of {scalar.Text}", "Choose a width that divides 24 hours");
            }

            windows.Add(width);
        }

        return windows.Count > 0 ? windows : [TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromDays(1)];
    }

    private static StorageModel Storage(Section root, ProblemCollector problems)
    {
        var storage = root.Block("storage", GatewayShape.Storage);
        var budget = storage.Size("budget");
        if (budget < MinBudgetBytes)
        {
            problems.Error(storage.At("budget"), $"the storage budget of {budget} bytes is too small", "Write 16MiB or more: the database, its write-ahead log and a checkpoint must fit");
        }

        // Without a budget in the file the least that can be chosen counts.
        var sampleLog = storage.Size("sampleLog");
        var whole = budget ?? StorageModel.LeastDefaultBudgetBytes;
        if (sampleLog > whole / 2 || sampleLog < 1 << 20)
        {
            problems.Error(storage.At("sampleLog"), $"the sample log of {sampleLog} bytes does not fit a budget of {whole} bytes", "Write at least 1MiB and at most half of the budget");
        }

        var (sampleAge, summaryAge) = (Age(storage, "sampleAge", problems), Age(storage, "summaryAge", problems));
        if (sampleAge > summaryAge)
        {
            problems.Error(storage.At("sampleAge"), "samples would stay longer than the summaries that stand for them", "Write a 'sampleAge' of at most 'summaryAge', or leave it out");
        }

        var commit = storage.Duration("commitWindow") ?? TimeSpan.FromSeconds(1);
        if (commit < TimeSpan.FromMilliseconds(10) || commit > TimeSpan.FromMinutes(1))
        {
            problems.Error(storage.At("commitWindow"), $"a commit window of {commit.TotalSeconds} s is not possible", "Write 10ms to 1m; it is what a power cut may cost");
        }

        var checkpoint = storage.Duration("checkpoint") ?? TimeSpan.FromMinutes(1);
        if (checkpoint < commit || checkpoint > TimeSpan.FromHours(1))
        {
            problems.Error(storage.At("checkpoint"), $"a checkpoint every {checkpoint.TotalSeconds} s is not possible", "Write at least the commit window and at most 1h");
        }

        return new()
        {
            Directory = storage.Text("directory") ?? "data",
            BudgetBytes = budget ?? 0,
            SampleLogBytes = sampleLog ?? 0,
            MostRecords = storage.Integer("records"),
            ThinEarly = storage.Boolean("thin") ?? true,
            SampleAge = sampleAge,
            SummaryAge = summaryAge,
            LedgerYears = storage.Integer("ledgerYears") ?? StorageModel.DefaultLedgerYears,
            CommitWindow = commit,
            CheckpointInterval = checkpoint,
        };
    }

    private static TimeSpan? StatusEvery(Section gateway, ProblemCollector problems)
    {
        var every = gateway.Duration("statusEvery");
        if (every < TimeSpan.FromMilliseconds(100))
        {
            problems.Error(gateway.At("statusEvery"), $"a line of status every {every.Value.TotalMilliseconds} ms is too much", "Write 100ms or more, 1s for test rigs; leave it out otherwise");
        }

        return every;
    }

    private static TimeSpan? Age(Section storage, string key, ProblemCollector problems)
    {
        var age = storage.Duration(key);
        if (age < TimeSpan.FromMinutes(1))
        {
            problems.Error(storage.At(key), $"an age of {age.Value.TotalSeconds} s is not possible", "Write 1m or more, or leave it out: then only the budget limits what waits");
        }

        return age;
    }

    private static TimeSpan ClockHold(Section root, ProblemCollector problems)
    {
        var clock = root.Block("clock", GatewayShape.Clock);
        var hold = clock.Duration("hold") ?? SiteModel.DefaultClockHold;
        if (hold > TimeSpan.FromDays(1))
        {
            problems.Error(clock.At("hold"), $"readings cannot be held for {hold.TotalHours} hours", "Write 0s to 1d; while readings are held nothing is published or detected");
        }

        return hold;
    }

    private static string? Health(Section root, ProblemCollector problems)
    {
        if (root.Node("health") is YamlScalar { Text: "off" })
        {
            return null;
        }

        var health = root.Block("health", GatewayShape.Health);
        var listen = health.Text("listen");
        if (listen is null or "off")
        {
            return null;
        }

        var colon = listen.LastIndexOf(':');
        if (colon < 1 || !ushort.TryParse(listen.AsSpan(colon + 1), out var port) || port == 0 || !SiteUplinks.IsLoopback(listen[..colon].Trim('[', ']')))
        {
            problems.Error(health.At("listen"), $"'{listen}' is not a loopback address with a port", "Write 127.0.0.1:8080, or off; to show it to others put a reverse proxy with TLS in front");
        }

        return listen;
    }

    private static OtlpModel? Otlp(Section root, ProblemCollector problems)
    {
        var telemetry = root.Block("telemetry", GatewayShape.Telemetry);
        if (!telemetry.Has("otlp"))
        {
            return null;
        }

        var otlp = telemetry.Block("otlp", GatewayShape.Otlp);
        var interval = otlp.Duration("interval") ?? OtlpModel.DefaultInterval;
        if (interval < TimeSpan.FromSeconds(1) || interval > TimeSpan.FromHours(1))
        {
            problems.Error(otlp.At("interval"), $"metrics cannot be exported every {interval.TotalSeconds} s", "Write 1s to 1h; 1m is usual");
        }

        if (otlp.Text("endpoint") is not { } text)
        {
            return null; // Reported by the shape.
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var endpoint) || endpoint.Scheme is not ("http" or "https") || endpoint.Host.Length == 0)
        {
            problems.Error(otlp.At("endpoint"), $"'{text}' is not the address of a collector", "Write https://host:4318, or http://127.0.0.1:4318 for one on this machine");
            return null;
        }

        if (endpoint.UserInfo.Length > 0)
        {
            problems.Error(otlp.At("endpoint"), "the address of the collector holds a user name or password", "Secrets do not stand in this file: let a collector on this machine add them");
        }

        if (endpoint.Scheme == "http" && otlp.Boolean("allowPlaintext") != true && !SiteUplinks.IsLoopback(endpoint.Host.Trim('[', ']')))
        {
            problems.Error(otlp.At("endpoint"), $"{text} would send metrics unencrypted beyond this machine", "Use https://, or write 'allowPlaintext: true' if the network is trusted");
        }

        if (endpoint.Scheme == "http" && otlp.Has("caFile"))
        {
            problems.Error(otlp.At("caFile"), $"a collector at {text} shows no certificate that 'caFile' could be asked about", "Write https:// in 'endpoint', or take 'caFile' away");
        }

        return new(endpoint, otlp.Text("protocol") == OtlpModel.Protocols[1], interval) { CaFile = otlp.Text("caFile") };
    }

    private static string Hash(SourceText gateway, IEnumerable<SourceText> profiles)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[8];
        foreach (var text in profiles.Prepend(gateway).Select(p => p.Text))
        {
            // The length goes first, so that no two sets of texts run into the same bytes.
            var bytes = Encoding.UTF8.GetBytes(text);
            BinaryPrimitives.WriteInt64LittleEndian(length, bytes.Length);
            hash.AppendData(length);
            hash.AppendData(bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
