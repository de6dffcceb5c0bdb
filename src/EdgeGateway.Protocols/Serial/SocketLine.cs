using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace EdgeGateway.Protocols.Serial;

/// <summary>A connected socket as a line: what TCP and UDP have in common.</summary>
internal sealed class SocketLine : IDisposable
{
    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private readonly bool _isStream;
    private CancellationTokenSource _expiry;

    /// <summary>Takes over a connected socket.</summary>
    public SocketLine(Socket socket, TimeProvider time)
    {
        // Receiving without waiting must be possible; the asynchronous calls do not care.
        socket.Blocking = false;
        _socket = socket;
        _time = time;
        _isStream = socket.SocketType == SocketType.Stream;
        _expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
    }

    /// <inheritdoc cref="IByteLine.ReadAsync"/>
    public ValueTask<int> ReadAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        var count = _socket.Receive(buffer.Span, SocketFlags.None, out var error);
        return error switch
        {
            SocketError.Success => ValueTask.FromResult(Judge(count)),
            SocketError.WouldBlock when wait > TimeSpan.Zero => WaitAsync(buffer, wait, cancel),
            SocketError.WouldBlock => ValueTask.FromResult(0),
            SocketError.MessageSize when !_isStream => ValueTask.FromResult(buffer.Length),
            _ => ValueTask.FromResult(-1),
        };
    }

    /// <inheritdoc cref="IByteLine.WriteAsync"/>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, TimeSpan wait, CancellationToken cancel)
    {
        StartExpiry(wait);
        var registration = Link(cancel);
        try
        {
            while (!bytes.IsEmpty)
            {
                var sent = await _socket.SendAsync(bytes, SocketFlags.None, _expiry.Token).ConfigureAwait(false);
                bytes = bytes[sent..];
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return false;
        }
        catch (SocketException)
        {
            // The peer is gone; what is left to do is the same whatever the reason.
            return false;
        }
        finally
        {
            registration.Dispose();
            StopExpiry();
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _expiry.Dispose();
    }

    // The end of a stream reads as nothing; an empty datagram is one all the same, and says as little as silence.
    private int Judge(int count) => count == 0 && _isStream ? -1 : count;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, TimeSpan wait, CancellationToken cancel)
    {
        StartExpiry(wait);
        var registration = Link(cancel);
        try
        {
            return Judge(await _socket.ReceiveAsync(buffer, SocketFlags.None, _expiry.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return 0;
        }
        catch (SocketException large) when (large.SocketErrorCode == SocketError.MessageSize && !_isStream)
        {
            // A datagram larger than any of ours: what fits is handed over, and found to be wrong.
            return buffer.Length;
        }
        catch (SocketException)
        {
            // A reset or an unreachable peer: the line is over, as the caller is told.
            return -1;
        }
        finally
        {
            registration.Dispose();
            StopExpiry();
        }
    }

    private CancellationTokenRegistration Link(CancellationToken cancel) => cancel.CanBeCanceled
        ? cancel.UnsafeRegister(static expiry => ((CancellationTokenSource)expiry!).Cancel(), _expiry)
        : default;

    private void StartExpiry(TimeSpan wait) => _expiry.CancelAfter(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))));

    private void StopExpiry()
    {
        // One source serves all waits; only one that fired has to be replaced.
        if (!_expiry.TryReset())
        {
            _expiry.Dispose();
            _expiry = new CancellationTokenSource(Timeout.InfiniteTimeSpan, _time);
        }
    }
}
