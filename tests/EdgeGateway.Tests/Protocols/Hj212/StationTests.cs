using System.Net;
using System.Net.Sockets;
using EdgeGateway.Protocols.Hj212;
using EdgeGateway.Tests.Shared;

namespace EdgeGateway.Tests.Protocols.Hj212;

/// <summary>Connections of loggers where the gateway listens: silent ones end, and give way to new ones.</summary>
public sealed class StationTests
{
    private readonly ManualTime _time = new();

    private static IPEndPoint Free()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)socket.LocalEndPoint!;
    }

    /// <summary>Moves time until something holds, letting the station run in between.</summary>
    private async Task UntilAsync(Func<bool> holds, TimeSpan step)
    {
        for (var i = 0; !holds(); i++)
        {
            Assert.True(i < 20_000, "it never came to that");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System);
            _time.Advance(step);
        }
    }

    private async Task<TcpClient> ConnectAsync(IPEndPoint place, Hj212Station station, long connects)
    {
        TcpClient? client = null;
        await UntilAsync(() => (client ??= Try()) is not null && station.Connects >= connects, TimeSpan.Zero);
        return client!;

        TcpClient? Try()
        {
            var one = new TcpClient();
            try
            {
                one.Connect(place);
                return one;
            }
            catch (SocketException)
            {
                one.Dispose();
                return null;
            }
        }
    }

    [Fact]
    public async Task A_connection_on_which_nothing_comes_is_closed_and_counted()
    {
        var place = Free();
        await using var station = Hj212Station.Listen(place, _ => true, new() { IdleLimit = TimeSpan.FromMinutes(5) }, _time);
        using var client = await ConnectAsync(place, station, 1);
        await UntilAsync(() => station.Idle == 1, TimeSpan.FromSeconds(1));
        Assert.True(_time.GetTimestamp() >= TimeSpan.FromMinutes(5).Ticks);
        await UntilAsync(() => !station.IsConnected, TimeSpan.Zero);
    }

    [Fact]
    public async Task The_connection_that_was_silent_longest_gives_way_and_one_that_sends_does_not()
    {
        var place = Free();
        await using var station = Hj212Station.Listen(place, _ => true, new() { MaxClients = 2 }, _time);
        using var oldest = await ConnectAsync(place, station, 1);
        using var sends = await ConnectAsync(place, station, 2);
        using (await ConnectAsync(place, station, 0))
        {
            // Both are young: the third is refused.
            await UntilAsync(() => station.TurnedAway == 1, TimeSpan.Zero);
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        await sends.GetStream().WriteAsync("##0012QN=1;CP=&&&&6900\r\n"u8.ToArray());
        await UntilAsync(() => station.Counters.Packets == 1, TimeSpan.Zero);
        using var newest = await ConnectAsync(place, station, 3);
        Assert.Equal((1, 1), (station.GaveWay, station.TurnedAway));
        Assert.Equal(0, await oldest.GetStream().ReadAsync(new byte[1]));
    }
}
