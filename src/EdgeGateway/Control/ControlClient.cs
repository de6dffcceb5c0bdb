using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace EdgeGateway.Control;

/// <summary>Asks the running gateway over its Unix socket.</summary>
public sealed class ControlClient : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http;

    private ControlClient(UnixDomainSocketEndPoint gateway)
    {
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(gateway, cancel).ConfigureAwait(false);
                    RefuseStranger(connection);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        })
        {
            BaseAddress = new Uri("http://gateway/"),

            // Each request has its own.
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    /// <summary>A client for the gateway whose store is in <paramref name="directory"/>, or null when none is running there.</summary>
    /// <exception cref="UnauthorizedAccessException">A gateway is running, and this user may not command it.</exception>
    public static ControlClient? TryConnect(string directory)
    {
        var socket = new UnixDomainSocketEndPoint(ControlServer.PathIn(directory));
        if (IsThere(socket))
        {
            return new ControlClient(socket);
        }

        // A gateway on a disk that can only be read.
        var name = ControlServer.NameWithoutDirectory(directory);
        return OperatingSystem.IsLinux() && IsThere(name) ? new ControlClient(name) : null;
    }

    private static bool IsThere(UnixDomainSocketEndPoint socket)
    {
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(socket);
            RefuseStranger(probe);
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new UnauthorizedAccessException(
                $"A gateway is running, but {socket} may not be opened by this user. Run the command as the gateway's user or as root.", e);
        }
        catch (SocketException)
        {
            // No socket, or that of a gateway that was killed: nobody listens behind it. (Whether the file exists cannot be asked: in a
            // directory that this user may not search it seems not to.)
            return false;
        }
    }

    // Root looks after the gateways of others; nobody else is told by another user's program how a gateway is, or hands it a command.
    private static void RefuseStranger(Socket gateway)
    {
        if (OperatingSystem.IsLinux() && !Environment.IsPrivilegedProcess && SocketPeer.Uid(gateway) is { } uid && !SocketPeer.IsOwnOrRoot(uid))
        {
            throw new UnauthorizedAccessException($"What answers for this gateway runs as {SocketPeer.Describe(uid)}. Run the command as that user or as root.");
        }
    }

    /// <summary>Gets a document.</summary>
    /// <exception cref="HttpRequestException">The gateway refused; the message holds its words.</exception>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        return await SendAsync(request, type, cancel).ConfigureAwait(false);
    }

    /// <summary>Asks for something to be done.</summary>
    /// <exception cref="HttpRequestException">The gateway refused; the message holds its words, and the status is 422 when a rule forbids it.</exception>
    /// <param name="path">What is asked.</param>
    /// <param name="body">Its document.</param>
    /// <param name="bodyType">How that is written.</param>
    /// <param name="type">How the answer is read.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="patience">How long the answer may take; a minute when null.</param>
    public async Task<T> PostAsync<TBody, T>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancel, TimeSpan? patience = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(path, UriKind.Relative));
        request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        return await SendAsync(request, type, cancel, patience).ConfigureAwait(false);
    }

    private async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancel, TimeSpan? patience = null)
    {
        var limit = patience ?? Patience;
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        waiting.CancelAfter(limit);
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw Silent(limit, e);
        }

        using var answered = response;
        await using var content = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            throw new HttpRequestException(await ErrorOf(content, response.StatusCode, cancel).ConfigureAwait(false), null, response.StatusCode);
        }

        return await JsonSerializer.DeserializeAsync(content, type, cancel).ConfigureAwait(false)
            ?? throw new HttpRequestException("The gateway answered with an empty document.");
    }

    /// <summary>Opens a stream of lines that ends with the gateway, or when it is disposed of.</summary>
    /// <exception cref="HttpRequestException">The gateway refused; the message holds its words.</exception>
    public async Task<Stream> StreamAsync(string path, CancellationToken cancel)
    {
        using var waiting = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        waiting.CancelAfter(Patience);
        HttpResponseMessage response;
        try
        {
            response = await _http.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, waiting.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw Silent(Patience, e);
        }

        var body = await response.Content.ReadAsStreamAsync(cancel).ConfigureAwait(false);
        if (response.IsSuccessStatusCode)
        {
            return body;
        }

        using (response)
        {
            throw new HttpRequestException(await ErrorOf(body, response.StatusCode, cancel).ConfigureAwait(false));
        }
    }

    private static HttpRequestException Silent(TimeSpan limit, Exception e) =>
        new($"The gateway runs and does not answer within {limit.TotalSeconds} s. Its log says why.", e);

    private static async Task<string> ErrorOf(Stream content, System.Net.HttpStatusCode status, CancellationToken cancel)
    {
        try
        {
            if (await JsonSerializer.DeserializeAsync(content, ControlJson.Default.ErrorDocument, cancel).ConfigureAwait(false) is { } error)
            {
                return error.Error;
            }
        }
        catch (JsonException)
        {
            // No document of ours: an older gateway that does not know what was asked, or a fault that its log tells.
        }

        return status == System.Net.HttpStatusCode.NotFound
            ? "The gateway that runs does not know this command: it is of another version. Restart it."
            : $"The gateway answered {(int)status}. Its log says why.";
    }

    public void Dispose() => _http.Dispose();
}
