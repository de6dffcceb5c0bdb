namespace EdgeGateway.Tests.Configuration;

public sealed class PasswordFileTests : IDisposable
{
    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData("secret", "secret")]
    [InlineData("secret\n", "secret")]
    [InlineData("secret\r\n", "secret")]
    [InlineData(" two words \n", " two words ")]
    [InlineData("sch\u00fcssel\n", "sch\u00fcssel")]
    [InlineData("\n", "")]
    public void A_password_is_what_stands_in_its_file_without_the_line_end(string text, string password)
    {
        File.WriteAllText(_path, text);
        Assert.Equal(password, PasswordFile.Read(_path));
    }

    [Fact]
    public void Without_a_file_there_is_no_password() => Assert.Null(PasswordFile.Read(null));

    [Fact]
    public void A_file_that_is_not_there_is_an_error_and_no_empty_password() =>
        Assert.Throws<FileNotFoundException>(() => PasswordFile.Read(_path + ".missing"));
}
