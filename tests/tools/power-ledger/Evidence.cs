using System.Globalization;
using System.Text;

namespace EdgeGateway.PowerLedger;

/// <summary>
/// What arrived at the centre, one message a line: the first commit that may do without it, topic, payload in base 64. It lies outside the disk that loses its power, and is
/// written before that commit begins. So a disk that ends with commit <c>n</c> may lack what is marked up to <c>n</c>, and nothing else.
/// </summary>
internal sealed class Evidence(string path) : IDisposable
{
    private readonly StreamWriter _file = new(path, append: true, Encoding.ASCII);

    public void Write(long commit, string topic, ReadOnlySpan<byte> payload) =>
        _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{commit} {topic} {Convert.ToBase64String(payload)}"));

    public void Flush() => _file.Flush();

    /// <summary>What a disk that ends with commit <paramref name="last"/> may lack.</summary>
    public static IEnumerable<(string Topic, byte[] Payload)> Read(string path, long last)
    {
        foreach (var line in File.ReadLines(path, Encoding.ASCII))
        {
            // The last line may be cut off: then the commit after it never began.
            if (line.Split(' ') is [var commit, var topic, var payload] && long.Parse(commit, CultureInfo.InvariantCulture) <= last)
            {
                yield return (topic, Convert.FromBase64String(payload));
            }
        }
    }

    public void Dispose() => _file.Dispose();
}
