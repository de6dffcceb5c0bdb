using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeGateway.Protocols.Mqtt;

namespace EdgeGateway.Exam;

/// <summary>OPTIONS as it is written; what is absent is left to the client.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ExamOptionsFile
{
    public string? ClientId { get; init; }

    public bool CleanStart { get; init; }

    /// <summary>Seconds.</summary>
    public double? SessionExpiry { get; init; }

    /// <summary>Seconds.</summary>
    public double? Keepalive { get; init; }

    public string? Username { get; init; }

    public string? Password { get; init; }

    public ExamWill? Will { get; init; }

    public ushort? ReceiveMaximum { get; init; }

    public int? MaximumPacketSize { get; init; }

    public ushort? TopicAliasMaximum { get; init; }

    // Settable: the reader would put null into an init-only one that is absent.
    public IReadOnlyList<ExamSubscription> Subscribe { get; set; } = [];

    public string? ReceivedFile { get; init; }

    public double? ConnectTimeoutS { get; init; }

    public double? ReconnectMinMs { get; init; }

    public double? ReconnectMaxMs { get; init; }

    public double PublishIntervalMs { get; init; }

    public int? MaxInflight { get; init; }

    public bool ExitWhenDone { get; init; }

    public double LingerS { get; init; }

    /// <summary>Name that the server's certificate must carry.</summary>
    public string? Host { get; init; }

    public ExamTls? Tls { get; init; }

    /// <summary>Drops at the same head message that make it suspect; 0 never.</summary>
    public int? SuspectAfterDrops { get; init; }
}

/// <summary>The will of OPTIONS.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ExamWill
{
    public required string Topic { get; init; }

    // Settable: the reader would put null into an init-only one that is absent.
    public string Payload { get; set; } = "";

    public int Qos { get; init; }

    public bool Retain { get; init; }

    /// <summary>Seconds.</summary>
    public double Delay { get; init; }
}

/// <summary>A subscription of OPTIONS.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ExamSubscription
{
    public required string Filter { get; init; }

    public int Qos { get; init; }
}

/// <summary>TLS of OPTIONS: paths of PEM files.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ExamTls
{
    public string? Ca { get; init; }

    public string? Cert { get; init; }

    public string? Key { get; init; }
}

/// <summary>Reads OPTIONS with the names of the reference, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowTrailingCommas = true)]
[JsonSerializable(typeof(ExamOptionsFile))]
internal sealed partial class ExamJson : JsonSerializerContext;

/// <summary>The arguments and options of a run, checked.</summary>
internal sealed record ExamOptions
{
    /// <summary>Larger packets than any scenario has; the client reads what comes, never what is announced.</summary>
    private const int LargestPacket = 268_435_455;

    public required ExamOptionsFile File { get; init; }

    public required Uri Server { get; init; }

    public required MqttProtocolVersion Version { get; init; }

    /// <summary>Reads the arguments.</summary>
    /// <exception cref="ExamException">One of them is not usable.</exception>
    public static ExamOptions Read(string host, string port, string version, string optionsPath)
    {
        ExamOptionsFile? file;
        try
        {
            file = JsonSerializer.Deserialize(System.IO.File.ReadAllText(optionsPath), ExamJson.Default.ExamOptionsFile);
        }
        catch (JsonException e)
        {
            var known = ExamJson.Default.ExamOptionsFile.Properties.Select(p => p.Name).Order(StringComparer.Ordinal);
            throw new ExamException(
                e.Message.Contains("could not be mapped", StringComparison.Ordinal) ? ExamExit.NotSupported : ExamExit.Usage,
                $"{optionsPath}: {e.Message} Known options: {string.Join(", ", known)}");
        }

        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
        {
            throw new ExamException(ExamExit.Usage, $"the port '{port}' is not a number from 1 to 65535");
        }

        file ??= new ExamOptionsFile();
        var bare = host.Trim('[', ']');
        return new ExamOptions
        {
            File = file,
            Server = new UriBuilder(file.Tls is null ? "mqtt" : "mqtts", bare, number).Uri,
            Version = version switch
            {
                "3.1.1" => MqttProtocolVersion.V311,
                "5" or "5.0" => MqttProtocolVersion.V500,
                _ => throw new ExamException(ExamExit.NotSupported, $"MQTT version '{version}' is not supported: 3.1.1 and 5 are"),
            },
        };
    }

    /// <summary>Options of the client, without session.</summary>
    /// <param name="clientId">The client id to use.</param>
    /// <exception cref="ExamException">An option is outside its limits.</exception>
    public MqttClientOptions ForClient(string clientId)
    {
        var d = new MqttClientOptions { Servers = [Server], ClientId = clientId };
        var longest = Milliseconds(File.ReconnectMaxMs) ?? d.ReconnectMax;
        var shortest = Milliseconds(File.ReconnectMinMs) ?? (d.ReconnectMin < longest ? d.ReconnectMin : longest);
        var options = d with
        {
            Version = Version,
            CleanStart = File.CleanStart,
            SessionExpiry = Seconds(File.SessionExpiry) ?? d.SessionExpiry,
            KeepAlive = Seconds(File.Keepalive) ?? d.KeepAlive,
            UserName = File.Username,
            Password = File.Password,
            Will = File.Will is not { } will ? null : new MqttWill
            {
                Topic = will.Topic,
                Payload = Encoding.UTF8.GetBytes(will.Payload),
                Qos = Qos(will.Qos, "will"),
                Retain = will.Retain,
                Delay = TimeSpan.FromSeconds(will.Delay),
            },
            ReceiveMaximum = File.ReceiveMaximum ?? d.ReceiveMaximum,
            MaxIncomingPacketSize = File.MaximumPacketSize ?? LargestPacket,
            MaxOutgoingPacketSize = LargestPacket,
            TopicAliasMaximum = File.TopicAliasMaximum ?? d.TopicAliasMaximum,
            ConnectTimeout = Seconds(File.ConnectTimeoutS) ?? d.ConnectTimeout,
            ReconnectMin = shortest,
            ReconnectMax = longest < shortest ? shortest : longest,
            ReconnectMinRefused = d.ReconnectMinRefused < longest ? d.ReconnectMinRefused : longest,
            MaxInFlight = MaxInFlight,

            // The publisher keeps to its own limit, so that nothing waits inside the client and the order stays.
            MaxInFlightBytes = int.MaxValue,
            MaxWaitingBytes = int.MaxValue,
            SuspectAfterDrops = File.SuspectAfterDrops ?? d.SuspectAfterDrops,
            Tls = new MqttTlsOptions { CaFile = File.Tls?.Ca, CertificateFile = File.Tls?.Cert, KeyFile = File.Tls?.Key, ServerName = File.Host },
        };
        try
        {
            options.Validate();
            foreach (var wanted in File.Subscribe)
            {
                new MqttSubscription { Filter = wanted.Filter, Qos = Qos(wanted.Qos, "subscribe") }.Validate();
            }
        }
        catch (ArgumentException e)
        {
            throw new ExamException(ExamExit.Usage, $"the options cannot be used: {e.Message}");
        }

        return options;
    }

    /// <summary>Messages in flight at most.</summary>
    public int MaxInFlight => Math.Clamp(File.MaxInflight ?? 20, 1, 10_000);

    /// <summary>A quality of service as the options write it.</summary>
    /// <exception cref="ExamException">It is none.</exception>
    public static MqttQos Qos(int qos, string where) =>
        qos is >= 0 and <= 2 ? (MqttQos)qos : throw new ExamException(ExamExit.Usage, $"{where}: there is no QoS {qos}: write 0, 1 or 2");

    private static TimeSpan? Seconds(double? value) => value is { } seconds ? TimeSpan.FromSeconds(Math.Min(seconds, uint.MaxValue)) : null;

    private static TimeSpan? Milliseconds(double? value) => value is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Max(milliseconds, 1)) : null;
}
