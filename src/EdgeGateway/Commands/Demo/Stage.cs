using EdgeGateway.Hosting;
using EdgeGateway.Simulator;

namespace EdgeGateway.Commands.Demo;

/// <summary>
/// Everything the demonstration is made of, in a private directory: a broker, a simulated mine, the gateway, and a subscriber in the
/// place of the centre. Disposing ends all of it and removes the directory.
/// </summary>
internal sealed class Stage : IAsyncDisposable
{
    /// <summary>Narrow first, so that something new arrives every few seconds.</summary>
    private const string Windows = "[5s, 1m, 15m, 1h, 1d]";
    private const double BaseWindowSeconds = 5;
    private const ulong Seed = 1;

    private static readonly TimeSpan Quarter = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan UntilQuarterEnds = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);

    private readonly string _directory;
    private readonly CancellationTokenSource _watching = new();
    private SiteServer? _mine;
    private Subscriber? _subscriber;
    private GatewayChild? _gateway;
    private FaultSwitches? _faults;
    private Task _watch = Task.CompletedTask;

    private Stage(string mosquitto)
    {
        _directory = Directory.CreateTempSubdirectory("edgegateway-demo-").FullName;
        Guard = Guard.Start(_directory);
        Clock = ClockBefore(UntilQuarterEnds);
        FirstEntries = Clock.GetUtcNow() + UntilQuarterEnds;
        Events = new EventList(Clock);
        Receiver = new Receiver(BaseWindowSeconds, Events);
        Broker = new PrivateBroker(Guard, mosquitto, Path.Combine(_directory, "broker"));
    }

    public Guard Guard { get; }

    /// <summary>The clock of the mine and of the gateway.</summary>
    public ShiftedTime Clock { get; }

    /// <summary>When the first quarter of an hour ends, by <see cref="Clock"/>.</summary>
    public DateTimeOffset FirstEntries { get; }

    public EventList Events { get; }

    public Receiver Receiver { get; }

    public PrivateBroker Broker { get; }

    public SiteServer Mine => _mine!;

    public Subscriber Subscriber => _subscriber!;

    public GatewayChild Gateway => _gateway!;

    public FaultSwitches Faults => _faults!;

    /// <summary>Sets up everything, and says what and where.</summary>
    /// <exception cref="DemoException">A part does not start; nothing is left behind.</exception>
    public static async Task<Stage> BuildAsync(string mosquitto, CancellationToken cancel)
    {
        var stage = new Stage(mosquitto);
        try
        {
            await stage.StartAsync(cancel).ConfigureAwait(false);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Stops the gateway, which says with its last words how many records it has given out, and waits until the broker has delivered
    /// them, so that the count is final.
    /// </summary>
    public async Task EndAsync()
    {
        await _watching.CancelAsync().ConfigureAwait(false);
        await Gateway.StopAsync().ConfigureAwait(false);
        var begun = TimeProvider.System.GetTimestamp();
        while (Broker.IsUp && (Subscriber.IsGatewayOnline || Receiver.Now().Ledger.Missing > 0) && TimeProvider.System.GetElapsedTime(begun) < LastWords)
        {
            await Task.Delay(Look, TimeProvider.System, CancellationToken.None).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _watching.CancelAsync().ConfigureAwait(false);
        await _watch.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_gateway is not null)
        {
            await _gateway.DisposeAsync().ConfigureAwait(false);
        }

        if (_subscriber is not null)
        {
            await _subscriber.DisposeAsync().ConfigureAwait(false);
        }

        await Broker.DisposeAsync().ConfigureAwait(false);
        if (_mine is not null)
        {
            await _mine.DisposeAsync().ConfigureAwait(false);
        }

        _faults?.Dispose();
        _watching.Dispose();
        await Guard.DisposeAsync().ConfigureAwait(false);
    }

    private static ShiftedTime ClockBefore(TimeSpan quarterEnd)
    {
        var into = TimeSpan.FromTicks((TimeProvider.System.GetUtcNow() + quarterEnd).Ticks % Quarter.Ticks);
        return new ShiftedTime(into == TimeSpan.Zero ? TimeSpan.Zero : Quarter - into);
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        Console.WriteLine($"directory {_directory}, removed at the end; guard process {Guard.ProcessId}");
        await Broker.StartAsync(cancel).ConfigureAwait(false);
        Console.WriteLine($"broker    mosquitto on 127.0.0.1:{Broker.Port}, process {Broker.ProcessId}");

        var source = Path.Combine(AppContext.BaseDirectory, "examples", "mine", "gateway.yaml");
        var site = Load(source);
        var simulation = new SimulatedSite(site.Model, Seed, Clock);
        _mine = await SiteServer.StartAsync(simulation, new SiteServerOptions { FreePorts = true }).ConfigureAwait(false);
        _faults = new FaultSwitches(simulation, Broker, Events);
        Console.WriteLine($"mine      {site.Model.SiteName}, simulated: {site.Model.Devices.Count} devices, {site.Model.Points.Count} points behind {_mine.EndPoints.Count} Modbus TCP ports of this process");

        _subscriber = new Subscriber(Broker.Port, Receiver);
        await _subscriber.StartAsync(cancel).ConfigureAwait(false);
        Console.WriteLine("centre    a subscriber in this process; the table shows only what the broker delivers to it");

        var configuration = Path.Combine(_directory, "gateway.yaml");
        await File.WriteAllTextAsync(configuration, GatewayText.Moved(site.Gateway, _mine.EndPoints, Broker.Port, FreePort.Choose(), Windows), cancel).ConfigureAwait(false);
        var storage = Load(configuration).Model.Storage.Directory;
        _gateway = GatewayChild.Start(Guard, configuration, storage, Clock.Shift, Events);
        _watch = _gateway.WatchAsync(_watching.Token);
        Console.WriteLine($"gateway   edgegateway run --config {configuration}, process {_gateway.ProcessId}");
        Console.WriteLine($"clock     set ahead by {Words.Span(Clock.Shift)}: a quarter of an hour ends at {FirstEntries:HH:mm:ss} UTC, in about {UntilQuarterEnds.TotalSeconds:F0} s, and with it come the first carbon entries");
        Console.WriteLine();
    }

    private static LoadedSite Load(string file) =>
        SiteFiles.Find(file, null).Load(file, out var problems)
        ?? throw new DemoException($"The configuration of the mine cannot be used:{Environment.NewLine}{string.Join(Environment.NewLine, problems)}");
}
