using EdgeGateway.Tests.Shared;

namespace EdgeGateway.PowerLedger;

/// <summary>
/// Brings a store on a small file system to one of the turns of its ballast, so that a killer (<c>tests/tools/kill-at</c>) can end the process before any change of a file
/// that the turn makes. Prints <c>ack N</c> after commit N is durable.
/// </summary>
internal static class DiskTurns
{
    /// <summary>Budget of a store with a ballast of 2 MiB.</summary>
    public const long Small = 16 << 20;

    private const int Run1 = 1;
    private const long Large = 64 << 20;

    public static int Run(string turn, string directory)
    {
        var time = new LeapTime();
        var disk = Path.GetDirectoryName(Path.GetFullPath(directory))!;
        var filler = new DiskFiller(disk);
        switch (turn)
        {
            // Others fill the file system: the ballast is released, the store moves into its space.
            case "release":
                using (var book = new Book(directory, Run1, Small, time))
                {
                    Commit(book, 40);
                    filler.Fill();
                    Killing(disk, () => Commit(book, 4));
                }

                return 0;

            // There is space again: the ballast is put back.
            case "restore":
                using (var book = new Book(directory, Run1, Small, time))
                {
                    Commit(book, 40);
                    filler.Fill();
                    Commit(book, 4);
                    filler.Free();
                    time.Leap(TimeSpan.FromMinutes(1));
                    Killing(disk, () => Commit(book, 4));
                }

                return 0;

            // A start with a smaller budget: the ballast gets shorter.
            case "shrink-ballast":
                using (var book = new Book(directory, Run1, Large, time))
                {
                    Commit(book, 40);
                }

                Killing(disk, () =>
                {
                    using var book = new Book(directory, Run1, Small, time);
                    Commit(book, 2);
                });
                return 0;

            // The same, where the store itself is too large.
            case "shrink-store":
                using (var book = new Book(directory, Run1, 4 << 20, time))
                {
                    Commit(book, 600);
                }

                Killing(disk, () =>
                {
                    using var book = new Book(directory, Run1, 1 << 20, time);
                    Commit(book, 2);
                });
                return 0;

            default:
                Console.Error.WriteLine("turns: release, restore, shrink-ballast, shrink-store");
                return 2;
        }
    }

    private static void Commit(Book book, int times)
    {
        for (var i = 0; i < times; i++)
        {
            book.Commit();
            Console.WriteLine($"ack {book.Commits}");
            Console.Out.Flush();
        }
    }

    // Deleting what is not there changes nothing; the killer sees the names.
    private static void Killing(string disk, Action turn)
    {
        File.Delete(Path.Combine(disk, "arm"));
        turn();
        File.Delete(Path.Combine(disk, "disarm"));
    }

    /// <summary>The system's clock, whose monotonic part can be sent ahead.</summary>
    private sealed class LeapTime : TimeProvider
    {
        private long _ahead;

        public override long GetTimestamp() => System.GetTimestamp() + _ahead;

        public override long TimestampFrequency => System.TimestampFrequency;

        public void Leap(TimeSpan by) => _ahead += (long)(by.TotalSeconds * TimestampFrequency);
    }
}
