using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeGateway.Protocols.Mqtt;

/// <summary>Opens TCP, TLS and WebSocket connections, each stage within a time limit, and explains failures.</summary>
internal sealed class MqttDialer(MqttTlsOptions tls, TimeSpan timeout, TimeSpan keepAlive, TimeProvider time)
{
    private const int TcpLevel = 6;
    private const int TcpUserTimeout = 18;

    /// <summary>Schemes that <see cref="DialAsync"/> knows.</summary>
    public static bool Knows(Uri server) => server.Scheme is "mqtt" or "mqtts" or "ws" or "wss";

    /// <summary>Connects to a server; <c>mqtts</c> and <c>wss</c> with TLS, <c>ws</c> and <c>wss</c> over WebSocket.</summary>
    /// <exception cref="ConnectFailedException">With the reason in words.</exception>
    public async ValueTask<Stream> DialAsync(Uri server, CancellationToken cancel)
    {
        var secure = server.Scheme is "mqtts" or "wss";
        var host = server.IdnHost;
        var port = server.Port > 0 ? server.Port : secure ? 8883 : 1883;
        var socket = await ConnectAsync(host, port, cancel).ConfigureAwait(false);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (secure)
        {
            stream = await SecureAsync(stream, host, port, cancel).ConfigureAwait(false);
        }

        return server.Scheme is "ws" or "wss" ? await UpgradeAsync(stream, server, port, cancel).ConfigureAwait(false) : stream;
    }

    /// <summary>
    /// From HTTP to WebSocket. RFC 6455; MQTT 5.0, 6.0. TLS, if any, is done already, by the same rules as for <c>mqtts</c>, so the upgrade is always asked for as <c>ws</c>.
    /// </summary>
    private async ValueTask<Stream> UpgradeAsync(Stream stream, Uri server, int port, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var socket = new ClientWebSocket();
        try
        {
            using var handler = new SocketsHttpHandler
            {
                ConnectCallback = (_, _) => ValueTask.FromResult(stream),
                UseProxy = false,
                AllowAutoRedirect = false,
            };
            using var invoker = new HttpMessageInvoker(handler);
            socket.Options.AddSubProtocol("mqtt");

            // MQTT has its own sign of life.
            socket.Options.KeepAliveInterval = TimeSpan.Zero;
            await socket.ConnectAsync(new UriBuilder(server) { Scheme = "ws", Port = port }.Uri, invoker, either.Token).ConfigureAwait(false);
            return socket.SubProtocol == "mqtt"
                ? new MqttWebSocketStream(socket, time)
                : throw new WebSocketException("it does not speak the subprotocol 'mqtt'");
        }
        catch (Exception failure)
        {
            socket.Dispose();
            await stream.DisposeAsync().ConfigureAwait(false);
            throw failure switch
            {
                OperationCanceledException when !cancel.IsCancellationRequested => new ConnectFailedException(new(
                    MqttLossCause.TimedOut, $"{server} did not answer the WebSocket request in {timeout.TotalSeconds:0.#} s")),
                WebSocketException or HttpRequestException or IOException => new ConnectFailedException(new(
                    MqttLossCause.Refused, $"{server} is not a WebSocket of an MQTT broker: {failure.Message} Check port and path")),
                _ => failure,
            };
        }
    }

    private async ValueTask<Socket> ConnectAsync(string host, int port, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            SetUserTimeout(socket);
            if (IPAddress.TryParse(host.Trim('[', ']'), out var address))
            {
                await socket.ConnectAsync(new IPEndPoint(address, port), either.Token).ConfigureAwait(false);
            }
            else
            {
                await socket.ConnectAsync(new DnsEndPoint(host, port), either.Token).ConfigureAwait(false);
            }

            return socket;
        }
        catch (Exception failure)
        {
            socket.Dispose();
            throw failure switch
            {
                SocketException refused => new ConnectFailedException(ConnectionLoss.Unreachable(refused.SocketErrorCode, host, port)),
                OperationCanceledException when !cancel.IsCancellationRequested => new ConnectFailedException(new(
                    MqttLossCause.TimedOut, $"no answer from {host}:{port} in {timeout.TotalSeconds:0.#} s: check address, firewall and route")),
                _ => failure,
            };
        }
    }

    /// <summary>Lets Linux give up on unacknowledged data, should our own keep alive be held up. RFC 5482.</summary>
    private void SetUserTimeout(Socket socket)
    {
        if (OperatingSystem.IsLinux() && keepAlive > TimeSpan.Zero)
        {
            var milliseconds = (int)Math.Min(int.MaxValue, keepAlive.TotalMilliseconds * 2);
            socket.SetRawSocketOption(TcpLevel, TcpUserTimeout, BitConverter.GetBytes(milliseconds));
        }
    }

    private async ValueTask<Stream> SecureAsync(Stream stream, string host, int port, CancellationToken cancel)
    {
        using var limit = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancel);
        string? distrust = null;
        SslStream? secure = null;
        try
        {
            var settings = Settings(tls.ServerName ?? host);
            settings.RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (certificate is X509Certificate2 shown)
                {
                    tls.Presented?.Invoke(shown, chain);
                }

                distrust = Distrust(certificate as X509Certificate2, chain, errors, tls.ServerName ?? host);
                return errors == SslPolicyErrors.None;
            };
            secure = new SslStream(stream, leaveInnerStreamOpen: false);
            await secure.AuthenticateAsClientAsync(settings, either.Token).ConfigureAwait(false);
            return secure;
        }
        catch (Exception failure)
        {
            if (secure is not null)
            {
                await secure.DisposeAsync().ConfigureAwait(false);
            }

            await stream.DisposeAsync().ConfigureAwait(false);
            throw failure switch
            {
                _ when distrust is not null => new ConnectFailedException(new(
                    MqttLossCause.Tls, $"the certificate of {host}:{port} is not trusted: {distrust}")),
                OperationCanceledException when !cancel.IsCancellationRequested => new ConnectFailedException(new(
                    MqttLossCause.TimedOut, $"the TLS handshake with {host}:{port} took longer than {timeout.TotalSeconds:0.#} s: is it a TLS port?")),
                OperationCanceledException => failure,
                AuthenticationException => new ConnectFailedException(new(
                    MqttLossCause.Tls, $"the TLS handshake with {host}:{port} failed: {failure.InnerException?.Message ?? failure.Message}")),
                CryptographicException or UnauthorizedAccessException or FileNotFoundException or DirectoryNotFoundException =>
                    new ConnectFailedException(new(MqttLossCause.Tls, $"a TLS file cannot be used: {failure.Message}")),
                IOException => new ConnectFailedException(new(
                    MqttLossCause.Tls, $"{host}:{port} closed the connection in the TLS handshake: is it a TLS port, does it want a client certificate?")),
                _ => failure,
            };
        }
    }

    private SslClientAuthenticationOptions Settings(string name)
    {
        var settings = new SslClientAuthenticationOptions
        {
            TargetHost = name,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        };
        var policy = new X509ChainPolicy
        {
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTimeIgnored = false,
            VerificationTime = (tls.ValidationTime?.Invoke() ?? time.GetUtcNow()).UtcDateTime,
        };
        if (tls.CaFile is not null)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.ImportFromPemFile(tls.CaFile);
            if (policy.CustomTrustStore.Count == 0)
            {
                throw new CryptographicException($"{tls.CaFile} holds no certificate");
            }
        }

        settings.CertificateChainPolicy = policy;
        if (tls.CertificateFile is not null)
        {
            var certificate = X509Certificate2.CreateFromPemFile(tls.CertificateFile, tls.KeyFile);
            var intermediates = new X509Certificate2Collection();
            intermediates.ImportFromPemFile(tls.CertificateFile);
            settings.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, intermediates, offline: true);
        }

        return settings;
    }

    private static string? Distrust(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string name)
    {
        if (errors == SslPolicyErrors.None)
        {
            return null;
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNotAvailable) || certificate is null)
        {
            return "it sent none";
        }

        var status = X509ChainStatusFlags.NoError;
        foreach (var element in chain?.ChainStatus ?? [])
        {
            status |= element.Status;
        }

        if (status.HasFlag(X509ChainStatusFlags.NotTimeValid))
        {
            return $"it is valid from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u}: renew it, or check this computer's clock";
        }

        // A signature that does not fit is what another authority with the same name looks like.
        if ((status & (X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid)) != 0)
        {
            return $"it was issued by an unknown authority ({certificate.Issuer}): name the right CA file";
        }

        return errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)
            ? $"it is for {string.Join(", ", Names(certificate))}, not for {name}: use a name it carries"
            : status.ToString();
    }

    private static IEnumerable<string> Names(X509Certificate2 certificate)
    {
        foreach (var extension in certificate.Extensions)
        {
            if (extension is X509SubjectAlternativeNameExtension alternatives)
            {
                foreach (var name in alternatives.EnumerateDnsNames())
                {
                    yield return name;
                }

                foreach (var address in alternatives.EnumerateIPAddresses())
                {
                    yield return address.ToString();
                }

                yield break;
            }
        }

        yield return certificate.GetNameInfo(X509NameType.DnsName, forIssuer: false);
    }
}
