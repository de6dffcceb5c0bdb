using EdgeGateway.Protocols.Mqtt.Packets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>One accepted connection from CONNACK to its end: reads, writes, delivers, watches, and says goodbye.</summary>
internal sealed class ServedConnection(
    MqttConnection connection,
    MqttInbox inbox,
    PublishSession session,
    MqttSubscriptions subscriptions,
    Authenticating authenticating,
    MqttClientOptions options,
    TimeProvider time)
{
    /// <summary>Reading pauses while more than this waits for the socket, so that a peer that only sends cannot grow our memory.</summary>
    private const int MaxQueuedAnswers = 1024 * 1024;

    /// <summary>How long a clean stop waits for the server to close, so that DISCONNECT is not lost with the socket.</summary>
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(2);

    /// <summary>How long a change to a better server waits for what is in flight; what is left is given back and published there.</summary>
    private static readonly TimeSpan SettleTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan SettleLook = TimeSpan.FromMilliseconds(20);

    /// <summary>Serves until the connection ends or is to be ended.</summary>
    /// <param name="keepAlive">The keep alive in force.</param>
    /// <param name="search">Looks for a better server meanwhile.</param>
    /// <param name="lost">Called once when the end is known, before the goodbye.</param>
    /// <param name="disconnect">Asks for a clean stop.</param>
    /// <param name="cancel">Cuts the connection.</param>
    public async Task<(ConnectionLoss Loss, BetterServer? Better)> RunAsync(
        TimeSpan keepAlive, BetterServerSearch search, Action<ConnectionLoss> lost, CancellationToken disconnect, CancellationToken cancel)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var searchEnd = CancellationTokenSource.CreateLinkedTokenSource(ending.Token, disconnect);
        using var waitEnd = CancellationTokenSource.CreateLinkedTokenSource(searchEnd.Token);
        var reading = ReadAsync(ending.Token);
        var sending = SendAsync(ending.Token);
        var watching = KeepAliveWatch.RunAsync(connection, keepAlive, time, ending.Token);
        var delivering = DeliverAsync(ending.Token);
        var stopping = StopRequestedAsync(disconnect, ending.Token);
        var searching = search.RunAsync(waitEnd.Token, searchEnd.Token);
        Task[] all = [reading, sending, watching, delivering, stopping, searching];
        try
        {
            Task first = await Task.WhenAny(all).ConfigureAwait(false);
            if (first == searching && await searching.ConfigureAwait(false) is null)
            {
                first = await Task.WhenAny(reading, sending, watching, delivering, stopping).ConfigureAwait(false);
            }
            else if (first == searching)
            {
                first = await Task.WhenAny(SettleAsync(ending.Token), reading, sending, watching, delivering, stopping).ConfigureAwait(false);
            }

            if (first == sending)
            {
                // A failed write often means that the server's farewell waits to be read; it tells more than the broken pipe.
                first = await WithinAsync(reading, ending.Token).ConfigureAwait(false) ? reading : sending;
            }

            var loss = await ((Task<ConnectionLoss>)first).ConfigureAwait(false);
            lost(loss);
            await waitEnd.CancelAsync().ConfigureAwait(false);
            if (search.IsTrying && loss.Cause != MqttLossCause.Stopped)
            {
                await searching.ConfigureAwait(false);
            }

            var isLeaving = loss.Cause == MqttLossCause.BetterServer;
            var isClean = first == stopping || isLeaving || loss.Cause == MqttLossCause.InboxFull;
            await FarewellAsync(loss, isClean, isLeaving, keepsWill: first != stopping && options.Will is not null, sending, reading, ending.Token).ConfigureAwait(false);
            await searchEnd.CancelAsync().ConfigureAwait(false);
            var better = await searching.ConfigureAwait(false);
            if (better is not null && loss.Cause == MqttLossCause.Stopped)
            {
                await search.CloseAsync(better).ConfigureAwait(false);
                better = null;
            }

            return (loss, better);
        }
        finally
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await connection.CloseAsync().ConfigureAwait(false);
            await Task.WhenAll(all).ConfigureAwait(false);
        }
    }

    /// <summary>Waits until nothing is in flight either way, or no longer.</summary>
    private async Task<ConnectionLoss> SettleAsync(CancellationToken cancel)
    {
        session.Close();
        var start = time.GetTimestamp();
        try
        {
            while ((session.InFlight > 0 || !inbox.IsIdle) && time.GetElapsedTime(start) < SettleTimeout)
            {
                await Task.Delay(SettleLook, time, cancel).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return ConnectionLoss.Stopped;
        }

        return new(MqttLossCause.BetterServer, "a server that is preferred is there again: changing over to it");
    }

    /// <summary>
    /// DISCONNECT, at a clean end and, in 5.0, when we end the connection for a reason. MQTT 5.0, 3.14 and 4.13. The plain one makes the server forget the will,
    /// which is right at a stop only: who goes on elsewhere would leave there for ever what the will is to replace.
    /// </summary>
    private async Task FarewellAsync(ConnectionLoss loss, bool clean, bool forGood, bool keepsWill, Task sending, Task reading, CancellationToken ending)
    {
        var is5 = options.Version == MqttProtocolVersion.V500;
        if ((!clean && !(is5 && loss.EndedByUs)) || ending.IsCancellationRequested)
        {
            return;
        }

        if (keepsWill && !is5)
        {
            // In 3.1.1 a will is published only for a connection that ends without DISCONNECT (MQTT 3.1.1, 3.1.2.5): what is queued still leaves.
            await WithinAsync(connection.WaitForRoomAsync(0, ending).AsTask(), ending).ConfigureAwait(false);
            return;
        }

        var cleanCode = keepsWill ? MqttReasonCode.DisconnectWithWill : MqttReasonCode.Success;
        connection.SendLast(new DisconnectPacket
        {
            ReasonCode = clean ? cleanCode : loss.Code ?? MqttReasonCode.ProtocolError,

            // A session that is left for good must not go on collecting messages for us.
            Properties = forGood && is5 && !options.CleanStart && options.SessionExpiry > TimeSpan.Zero ? new() { SessionExpirySeconds = 0 } : null,
        });
        if (await WithinAsync(sending, ending).ConfigureAwait(false) && clean)
        {
            // Closing a socket with unread bytes resets it, and a reset can overtake DISCONNECT: let the server close first.
            await WithinAsync(reading, ending).ConfigureAwait(false);
        }
    }

    private async Task<bool> WithinAsync(Task task, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var inTime = await Task.WhenAny(task, Task.Delay(CloseTimeout, time, limit.Token)).ConfigureAwait(false) == task;
        await limit.CancelAsync().ConfigureAwait(false);
        return inTime;
    }

    private async Task<ConnectionLoss> ReadAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                var frame = await connection.ReadAsync(cancel).ConfigureAwait(false);
                if (frame.AtEnd)
                {
                    return new(MqttLossCause.ClosedByServer, "the server closed the connection without a reason: see its log; does another client use the same client id?");
                }

                var breach = frame.Breach;
                if (breach is null && frame.Header.Type == PacketType.Disconnect && options.Version == MqttProtocolVersion.V500)
                {
                    if (DisconnectPacket.TryRead(PacketType.Disconnect, frame.Body, options.Version, out var farewell, out var fault))
                    {
                        var said = farewell.Properties;
                        return ConnectionLoss.FromDisconnect(farewell.ReasonCode, said?.ReasonString, said?.ServerReference);
                    }

                    breach = fault;
                }

                breach ??= await TakeAsync(frame, cancel).ConfigureAwait(false);
                if (breach is { } broken)
                {
                    return ConnectionLoss.FromBreach(broken);
                }

                await connection.WaitForRoomAsync(MaxQueuedAnswers, cancel).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return cancel.IsCancellationRequested ? ConnectionLoss.Stopped : ConnectionLoss.FromException(failure);
        }
    }

    private async ValueTask<MqttBreach?> TakeAsync(MqttFrame frame, CancellationToken cancel)
    {
        var version = options.Version;
        MqttBreach fault;
        switch (frame.Header.Type)
        {
            case PacketType.Publish:
                return PublishPacket.TryRead(frame.Header.Flags, frame.Body, version, out var publish, out fault)
                    ? inbox.Take(publish)
                    : fault;
            case PacketType.PubAck or PacketType.PubRec or PacketType.PubComp:
                return AckPacket.TryRead(frame.Header.Type, frame.Body, version, out var ack, out fault) ? session.Acknowledged(ack) : fault;
            case PacketType.PubRel:
                if (!AckPacket.TryRead(PacketType.PubRel, frame.Body, version, out var release, out fault))
                {
                    return fault;
                }

                inbox.Released(release);
                return null;
            case PacketType.SubAck or PacketType.UnsubAck:
                return SubAckPacket.TryRead(frame.Header.Type, frame.Body, version, out var answer, out fault)
                    ? subscriptions.Acknowledged(answer)
                    : fault;
            case PacketType.PingResp:
                return frame.Body.IsEmpty ? null : new(MqttReasonCode.MalformedPacket, "PINGRESP with a body");
            case PacketType.Auth:
                return await authenticating.TakeAsync(frame, cancel).ConfigureAwait(false);
            default:
                return new(MqttReasonCode.ProtocolError, $"{frame.Header.Type} was not expected");
        }
    }

    private async Task<ConnectionLoss> SendAsync(CancellationToken cancel)
    {
        try
        {
            await connection.SendQueuedAsync(cancel).ConfigureAwait(false);
            return ConnectionLoss.Stopped;
        }
        catch (Exception failure) when (failure is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return cancel.IsCancellationRequested ? ConnectionLoss.Stopped : ConnectionLoss.FromException(failure);
        }
    }

    private async Task<ConnectionLoss> DeliverAsync(CancellationToken cancel)
    {
        try
        {
            await inbox.DeliverAsync(cancel).ConfigureAwait(false);
            return new(MqttLossCause.InboxFull, "the server sent more at once than could be handled, and gets it back: limit what it may have in flight to this client");
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The connection is ending.
        }

        return ConnectionLoss.Stopped;
    }

    private static async Task<ConnectionLoss> StopRequestedAsync(CancellationToken disconnect, CancellationToken ending)
    {
        var requested = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var byDisconnect = disconnect.UnsafeRegister(state => ((TaskCompletionSource)state!).TrySetResult(), requested);
        using var byEnd = ending.UnsafeRegister(state => ((TaskCompletionSource)state!).TrySetResult(), requested);
        await requested.Task.ConfigureAwait(false);
        return ConnectionLoss.Stopped;
    }
}
