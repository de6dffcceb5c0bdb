using System.Net.WebSockets;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>MQTT over WebSocket as a stream of bytes: packets may span frames and frames may hold several packets. MQTT 5.0, 6.0.</summary>
internal sealed class MqttWebSocketStream(WebSocket socket, TimeProvider time) : Stream
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer, cancellationToken).ConfigureAwait(false);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return 0;
                }

                if (received.MessageType == WebSocketMessageType.Text)
                {
                    throw new IOException("the server sent text over the WebSocket, MQTT is binary: is it an MQTT broker?");
                }

                // An empty frame is not the end of the stream.
                if (received.Count > 0)
                {
                    return received.Count;
                }
            }
        }
        catch (WebSocketException failure)
        {
            throw Translated(failure);
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await socket.SendAsync(buffer, WebSocketMessageType.Binary, endOfMessage: true, cancellationToken).ConfigureAwait(false);
        }
        catch (WebSocketException failure)
        {
            throw Translated(failure);
        }
        catch (InvalidOperationException failure)
        {
            // The socket was closed by the peer meanwhile.
            throw new IOException(failure.Message, failure);
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(CloseTimeout, time);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception failure) when (failure is WebSocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // The peer is gone, which is what closing is for.
        }
        finally
        {
            socket.Dispose();
            await base.DisposeAsync().ConfigureAwait(false);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            socket.Dispose();
        }

        base.Dispose(disposing);
    }

    /// <summary>The network's own error where there is one, because it has words of its own.</summary>
    private static IOException Translated(WebSocketException failure) =>
        failure.InnerException is IOException inner ? inner : new IOException(failure.Message, failure);
}
