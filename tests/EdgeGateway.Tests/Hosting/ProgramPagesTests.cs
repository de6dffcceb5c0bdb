using EdgeGateway.Hosting;

namespace EdgeGateway.Tests.Hosting;

public sealed class ProgramPagesTests
{
    [Theory]
    [InlineData("7f5e8c000000-7f5e8c010000 r-xp 00000000 08:01 1234                       /usr/lib/libc.so.6", 64, 0, 0, true)]
    [InlineData("7f5e8c000000-7f5e8c010000 r--p 00001000 08:01 1234                       /opt/with a space/edgegateway.dll", 64, 0, 0, true)]
    [InlineData("7f5e8c000000-7f5e8c010000 rw-p 00000000 08:01 1234                       /usr/lib/libc.so.6", 64, 0, 0, false)]
    [InlineData("7f5e8c000000-7f5e8c010000 r-xp 00000000 08:01 1234                       /usr/lib/libc.so.6", 64, 4, 0, false)]
    [InlineData("7f5e8c000000-7f5e8c010000 r-xp 00000000 08:01 1234                       /usr/lib/libc.so.6", 64, 0, 64, false)]
    [InlineData("7f5e8c000000-7f5e8c010000 r-xp 00000000 08:01 1234                       /usr/lib/libc.so.6", 0, 0, 0, false)]
    [InlineData("7f5e8c000000-7f5e8c010000 r-xs 00000000 00:01 1234                       /memfd:doublemapper (deleted)", 64, 0, 0, false)]
    [InlineData("7f5e8c000000-7f5e8c010000 r--s 00000000 08:01 1234                       /var/lib/edgegateway/gateway.db-shm", 64, 0, 0, false)]
    [InlineData("7ffd10000000-7ffd10010000 r-xp 00000000 00:00 0                          [vdso]", 64, 0, 0, false)]
    [InlineData("7ffd10000000-7ffd10010000 r--p 00000000 00:00 0", 64, 0, 0, false)]
    public void Only_what_is_wholly_a_file_on_disk_is_given_back(string header, int resident, int own, int locked, bool expected)
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, $"{header}\nSize: 64 kB\nRss: {resident} kB\nShared_Dirty: 0 kB\nPrivate_Dirty: {own} kB\nAnonymous: {own} kB\nSwap: 0 kB\nLocked: {locked} kB\nVmFlags: rd ex mr mw me\n");
            var mapping = Assert.Single(ProgramPages.Read(path));
            Assert.Equal(expected, mapping.IsFileOnly);
            Assert.Equal(0x10000UL, mapping.To - mapping.From);
            Assert.Equal(resident * 1024, mapping.ResidentBytes);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void What_the_kernel_does_not_tell_is_not_given_back()
    {
        var path = Path.GetTempFileName();
        File.WriteAllText(path, "7f5e8c000000-7f5e8c010000 r-xp 00000000 08:01 1234 /usr/lib/libc.so.6\nRss: 64 kB\n");
        Assert.False(Assert.Single(ProgramPages.Read(path)).IsFileOnly);
        File.Delete(path);
        Assert.Empty(ProgramPages.Read(path));
    }

    [Fact]
    public void Pages_are_given_back_and_the_program_goes_on()
    {
        var before = ProgramPages.Look();
        var given = ProgramPages.GiveBack(before);
        Assert.Equal(OperatingSystem.IsLinux(), given > 0);
        Assert.Equal(0, ProgramPages.GiveBack([]));

        // Code and constants that were mapped before are as they were.
        Assert.Equal("0123456789", string.Concat(Enumerable.Range(0, 10)));
        Assert.StartsWith("BA7816BF", Convert.ToHexString(System.Security.Cryptography.SHA256.HashData("abc"u8)), StringComparison.Ordinal);
    }
}
