using System.Security.Cryptography;

namespace EdgeGateway.Core.Ledger;

/// <summary>The device key that signs the ledger: ECDSA on the curve P-256 (FIPS 186-5, SP 800-186) over SHA-256, signatures in DER (RFC 3279, 2.2.3), as openssl makes and takes them.</summary>
public sealed class DeviceKey
{
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly byte[] _private;

    private DeviceKey(ECDsa key)
    {
        _private = key.ExportPkcs8PrivateKey();
        PrivatePem = key.ExportPkcs8PrivateKeyPem();
        PublicKey = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
        PublicPem = key.ExportSubjectPublicKeyInfoPem();
    }

    /// <summary>The public half: SubjectPublicKeyInfo in base64.</summary>
    public string PublicKey { get; }

    /// <summary>The public half for a file: PEM.</summary>
    public string PublicPem { get; }

    /// <summary>The private half for a file that nobody else can read: PKCS 8 in PEM.</summary>
    public string PrivatePem { get; }

    /// <summary>A new key.</summary>
    public static DeviceKey Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new(key);
    }

    /// <summary>Reads a private key.</summary>
    /// <exception cref="InvalidDataException">The text holds no private key on the curve P-256.</exception>
    public static DeviceKey FromPem(string pem)
    {
        using var key = Import(pem);
        try
        {
            return new(key);
        }
        catch (CryptographicException e)
        {
            throw new InvalidDataException($"it holds no private key ({e.Message})", e);
        }
    }

    /// <summary>Reads the public key of a PEM file, for checking; base64 of SubjectPublicKeyInfo.</summary>
    /// <exception cref="InvalidDataException">The text holds no key on the curve P-256.</exception>
    public static string ReadPublic(string pem)
    {
        using var key = Import(pem);
        return Convert.ToBase64String(key.ExportSubjectPublicKeyInfo());
    }

    /// <summary>What people compare: SHA-256 of SubjectPublicKeyInfo, lower-case hex.</summary>
    public static string Fingerprint(string publicKey) => Convert.ToHexStringLower(SHA256.HashData(Convert.FromBase64String(publicKey)));

    /// <summary>Signs a body. Each signature of the same body is another one.</summary>
    public byte[] Sign(ReadOnlySpan<byte> body)
    {
        // Made for each signature: there is one a day, and nothing is left to dispose.
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(_private, out _);
        return key.SignData(body, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }

    /// <summary>True when the key has signed the body; false also for a key or a signature that is none.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo in base64.</param>
    /// <param name="body">The body.</param>
    /// <param name="signature">The signature, DER.</param>
    public static bool Verify(string publicKey, ReadOnlySpan<byte> body, ReadOnlySpan<byte> signature)
    {
        try
        {
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(Convert.FromBase64String(publicKey), out _);
            return key.VerifyData(body, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (Exception e) when (e is FormatException or CryptographicException)
        {
            return false;
        }
    }

    private static ECDsa Import(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            if (key.ExportParameters(false).Curve.Oid.Value == P256)
            {
                return key;
            }
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            throw new InvalidDataException($"it holds no key of an elliptic curve in PEM ({e.Message})", e);
        }

        key.Dispose();
        throw new InvalidDataException("its key is on another curve than P-256");
    }
}
