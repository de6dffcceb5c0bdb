using System.Net.Sockets;
using System.Text;
using EdgeGateway.Buses;
using EdgeGateway.Core.Polling;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Hosting;
using EdgeGateway.Integration.Mqtt;
using EdgeGateway.Tests.Shared;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeGateway.Integration.Gateway;

/// <summary>Requirement P-1 and the stop of M-11: what a service manager hears on a real Unix socket from a gateway whose loops turn, and from one with a loop that does not.</summary>
public sealed class WatchdogTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P_1_messages_arrive_at_a_socket_in_the_file_system_and_in_the_abstract_name_space(bool isAbstract)
    {
        using var manager = new Manager(isAbstract);
        using var program = ServiceManager.FromEnvironment(
            name => name switch { "NOTIFY_SOCKET" => manager.Name, "WATCHDOG_USEC" => "30000000", "WATCHDOG_PID" => "77", _ => null }, processId: 77);
        Assert.NotNull(program);
        Assert.Equal(TimeSpan.FromSeconds(30), program.WatchdogInterval);
        program.Ready("Running");
        program.Reloading(new ManualTime());
        program.Stopping();
        Assert.Equal("READY=1\nSTATUS=Running", manager.Receive());
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=0\n", manager.Receive(), StringComparison.Ordinal);
        Assert.StartsWith("STOPPING=1\n", manager.Receive(), StringComparison.Ordinal);
    }

    [Fact]
    public void P_1_a_manager_that_is_gone_ends_nothing()
    {
        var manager = new Manager(isAbstract: false);
        using var program = new ServiceManager(manager.Name, null);
        manager.Dispose();
        program.Ready("Running");
        Assert.NotNull(program.Problem);
    }

    [Fact]
    public void P_1_a_manager_that_does_not_read_holds_up_nothing()
    {
        using var manager = new Manager(isAbstract: false);
        using var program = new ServiceManager(manager.Name, null);
        for (var i = 0; i < 1000 && program.Problem is null; i++)
        {
            program.Ready("Running");
        }

        Assert.NotNull(program.Problem);
        manager.Pending();
        program.Ready("Running again");
        Assert.Null(program.Problem);
    }

    [Fact]
    public async Task P_1_a_bus_that_hangs_ends_the_feeding_of_the_watchdog_and_is_named()
    {
        using var manager = new Manager(isAbstract: false);
        using var program = new ServiceManager(manager.Name, TimeSpan.FromSeconds(30));
        var time = new ManualTime(new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero));
        using var site = new Loaded(GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1), ("broker", Mosquitto.FreePort())));
        await using var bus = new HangingBus();
        await using var gateway = GatewayRuntime.Open(site.Site, time, NullLoggerFactory.Instance, new RuntimeSeams { Manager = program, Bus = _ => bus });
        using var stop = new CancellationTokenSource();
        var running = gateway.RunAsync(stop.Token);

        // While all loops turn, it is fed again and again.
        for (var fed = 0; fed < 3;)
        {
            await MoveAsync(time);
            fed += manager.Pending().Count(m => m == "WATCHDOG=1");
        }

        bus.Hangs = true;
        await Until.HoldsAsync(async () => { await MoveAsync(time); return bus.IsHanging; }, "a read hangs");
        for (var second = 0; second < 30; second++)
        {
            await MoveAsync(time);
            manager.Pending();
        }

        await Until.HoldsAsync(
            async () => { await MoveAsync(time); return gateway.Status().Problems.Any(p => p.StartsWith("Blocked: bus bus has not turned for ", StringComparison.Ordinal)); },
            "the bus is named");
        manager.Pending();
        List<string> after = [];
        for (var second = 0; second < 60; second++)
        {
            await MoveAsync(time);
            after.AddRange(manager.Pending());
        }

        Assert.NotEmpty(after);
        Assert.DoesNotContain("WATCHDOG=1", after);

        // The stop does not wait for it either (M-11).
        await stop.CancelAsync();
        await time.AdvanceUntilAsync(running, TimeSpan.FromMilliseconds(100));
        bus.Hangs = false;
    }

    [Fact]
    public async Task M_11_a_dead_bus_does_not_hold_up_the_stop()
    {
        using var site = new Loaded(GatewaySite.Write(LoadSite.Configuration(1), ("bus", 1), ("broker", Mosquitto.FreePort())));
        await using var bus = new HangingBus { Hangs = true };
        await using var gateway = GatewayRuntime.Open(site.Site, TimeProvider.System, NullLoggerFactory.Instance, new RuntimeSeams { Bus = _ => bus });
        using var stop = new CancellationTokenSource();
        var running = gateway.RunAsync(stop.Token);
        await Until.HoldsAsync(() => bus.IsHanging, "a read hangs");
        await stop.CancelAsync();
        await running.WaitAsync(Until.Limit);
        bus.Hangs = false;
    }

    // One second of simulated time, in parts that the loops can follow.
    private static async Task MoveAsync(ManualTime time)
    {
        for (var part = 0; part < 5; part++)
        {
            time.Advance(TimeSpan.FromMilliseconds(200));
            await Task.Delay(TimeSpan.FromMilliseconds(4), TimeProvider.System);
        }
    }

    /// <summary>A loaded site in a folder that goes with it.</summary>
    private sealed class Loaded(GatewaySite folder) : IDisposable
    {
        public LoadedSite Site { get; } = Load(folder);

        public void Dispose() => folder.DisposeAsync().AsTask().GetAwaiter().GetResult();

        private static LoadedSite Load(GatewaySite folder)
        {
            folder.Add(LoadSite.Profile);
            return folder.Load();
        }
    }

    /// <summary>The service manager's end of the socket.</summary>
    private sealed class Manager : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        private readonly string? _path;

        public Manager(bool isAbstract)
        {
            var id = Guid.NewGuid().ToString("N");
            _path = isAbstract ? null : Path.Combine(Path.GetTempPath(), $"edgegateway-notify-{id}");
            Name = _path ?? $"@edgegateway-{id}";
            _socket.Bind(new UnixDomainSocketEndPoint(_path ?? $"\0edgegateway-{id}"));
            _socket.ReceiveTimeout = (int)Until.Limit.TotalMilliseconds;
        }

        public string Name { get; }

        public string Receive()
        {
            var buffer = new byte[4096];
            return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
        }

        /// <summary>Everything that waits.</summary>
        public List<string> Pending()
        {
            List<string> all = [];
            while (_socket.Available > 0 || _socket.Poll(0, SelectMode.SelectRead))
            {
                all.Add(Receive());
            }

            return all;
        }

        public void Dispose()
        {
            _socket.Dispose();
            if (_path is not null)
            {
                File.Delete(_path);
            }
        }
    }

    /// <summary>A bus on which every read succeeds at once, or never ends and does not listen to anybody.</summary>
    private sealed class HangingBus : IBus
    {
        private readonly TaskCompletionSource<BusReply> _never = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile bool _hangs;
        private volatile bool _isHanging;

        public bool Hangs
        {
            get => _hangs;
            set
            {
                _hangs = value;
                if (!value)
                {
                    _never.TrySetResult(BusReply.Good);
                }
            }
        }

        public bool IsHanging => _isHanging;

        public int MaxInFlight => 1;

        public string LastProblem => "";

        public ValueTask<BusReply> ReadAsync(byte unit, ReadRequest request, Memory<ushort> registers, TimeSpan timeout, CancellationToken cancel)
        {
            if (!_hangs)
            {
                return ValueTask.FromResult(BusReply.Good);
            }

            _isHanging = true;
            return new ValueTask<BusReply>(_never.Task);
        }

        public ValueTask<BusReply> WriteAsync(
            byte unit, RegisterTable table, ushort address, ReadOnlyMemory<ushort> words, bool single, TimeSpan timeout, CancellationToken cancel) =>
            ValueTask.FromResult(BusReply.Good);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
