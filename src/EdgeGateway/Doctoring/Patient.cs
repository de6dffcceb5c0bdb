using System.Globalization;
using EdgeGateway.Box;
using EdgeGateway.Commands;
using EdgeGateway.Control;
using EdgeGateway.Core;
using EdgeGateway.Core.Site;
using EdgeGateway.Hosting;
using EdgeGateway.Protocols;
using EdgeGateway.Protocols.Mqtt;
using EdgeGateway.Protocols.Serial;

namespace EdgeGateway.Doctoring;

/// <summary>What the checks look at: the configuration, the gateway that runs with it, and the computer it is on.</summary>
internal sealed record Patient
{
    /// <summary>Path of <c>gateway.yaml</c>.</summary>
    public required string Configuration { get; init; }

    /// <summary>The site; null when the configuration cannot be used.</summary>
    public required LoadedSite? Site { get; init; }

    /// <summary>What is wrong in the configuration.</summary>
    public required IReadOnlyList<Problem> Problems { get; init; }

    /// <summary>What the running gateway says of itself; null when none answers.</summary>
    public StatusDocument? Status { get; init; }

    /// <summary>Why a gateway that runs could not be asked; null when it answered, or when none runs.</summary>
    public string? Refusal { get; init; }

    /// <summary>Where the computer's files begin; another folder in tests.</summary>
    public string Root { get; init; } = "/";

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The present, by the wall clock: shown to people, and held against the dates of certificates.</summary>
    public DateTimeOffset Now => Time.GetUtcNow();

    /// <summary>Whom to ask about the clock.</summary>
    public IClockSource Clock { get; init; } = new KernelClock();

    /// <summary>The version of this program.</summary>
    public string Version { get; init; } = ProgramVersion.Text;

    /// <summary>Whether it is looked as root, to whom nothing is forbidden.</summary>
    public bool IsRoot { get; init; } = Environment.IsPrivilegedProcess;

    /// <summary>Bytes that can still be written and bytes in all of the file system of a directory; null when it cannot be asked.</summary>
    public Func<string, (long Free, long Total)?> Space { get; init; } = SpaceOf;

    /// <summary>Changes the options of the MQTT client, for tests: other transports.</summary>
    public Func<MqttClientOptions, MqttClientOptions> Adjust { get; init; } = static options => options;

    /// <summary>The directory of the store: that of the configuration, or where it is by default while the configuration cannot be used.</summary>
    public string Storage => Site?.Model.Storage.Directory ?? DefaultStorage(Configuration);

    /// <summary>Where the kernel shows the computer's health.</summary>
    public BoxPlaces Places => new(Root);

    /// <summary>The serial ports.</summary>
    public SerialInventory Ports => new(Root);

    /// <summary>The uplinks over MQTT.</summary>
    public IEnumerable<MqttUplinkModel> Brokers => Site?.Model.Uplinks.OfType<MqttUplinkModel>() ?? [];

    /// <summary>Looks where a configuration is, and asks the gateway that runs with it.</summary>
    /// <param name="configuration">Path of <c>gateway.yaml</c>.</param>
    /// <param name="profiles">Directory of profiles, or null for the usual places.</param>
    /// <param name="cancel">Stops waiting.</param>
    public static async Task<Patient> FindAsync(string configuration, string? profiles, CancellationToken cancel)
    {
        LoadedSite? site = null;
        IReadOnlyList<Problem> problems;
        try
        {
            site = CommonOptions.Read(configuration, profiles, out problems);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            problems = [new Problem(configuration, 0, 0, $"It cannot be read: {unreadable.Message.TrimEnd('.')}", "Give the user of the service the right to read it and the directory of its profiles")];
        }

        var patient = new Patient { Configuration = configuration, Site = site, Problems = problems };
        try
        {
            using var client = ControlClient.TryConnect(patient.Storage);
            return client is null ? patient : patient with { Status = await client.GetAsync("status", ControlJson.Default.StatusDocument, cancel).ConfigureAwait(false) };
        }
        catch (Exception refused) when (refused is HttpRequestException or UnauthorizedAccessException or IOException)
        {
            return patient with { Refusal = refused.Message };
        }
    }

    /// <summary>A file of the computer.</summary>
    /// <param name="path">Its path, with or without the first <c>/</c>.</param>
    public string At(string path) => Path.Combine(Root, path.TrimStart('/'));

    /// <summary>The text of a small file of the computer; null when there is none or it must not be read.</summary>
    public string? Word(string path) => KernelText.Read(At(path));

    /// <summary>A whole number in a file of the computer, decimal or with <c>0x</c> before it; null when there is none.</summary>
    /// <param name="path">Its place, already below <see cref="Root"/>; null when the file is not there.</param>
    public static long? Number(string? path)
    {
        if (path is null)
        {
            return null;
        }

        using var file = new KernelFile(path);
        return file.TryRead(out var number) ? number : null;
    }

    /// <summary>Why the computer does not show one side of its health, in the words of <see cref="BoxHealth"/>; null when it does.</summary>
    public string? WhyNotShown(BoxSubject subject) => BoxHealth.NotShown(new BoxBus
    {
        Id = "computer",
        Timeout = TimeSpan.FromSeconds(1),
        Inputs = BoxBus.Everything,
        Root = Root,
        Disk = Storage,
    }).Where(n => n.Input.Subject == subject).Select(n => n.Why).FirstOrDefault();

    /// <summary>The process that the store's directory names as its last holder, when it still runs and is this program; null otherwise.</summary>
    public int? Holder() =>
        KernelText.Read(Path.Combine(Storage, "gateway.pid")) is { } text && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var pid)
            && Word($"proc/{pid}/comm") is "edgegateway" ? pid : null;

    /// <summary>Where the store is by default.</summary>
    private static string DefaultStorage(string configuration) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(configuration))!, "data");

    private static (long Free, long Total)? SpaceOf(string directory)
    {
        try
        {
            var drive = new DriveInfo(BoxHealth.Existing(directory));
            return (drive.AvailableFreeSpace, drive.AvailableFreeSpace + drive.TotalSize - drive.TotalFreeSpace);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
