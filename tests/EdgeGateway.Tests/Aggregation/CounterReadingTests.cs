using EdgeGateway.Core.Aggregation;
using EdgeGateway.Core.Profiles;
using EdgeGateway.Tests.LocalPath;

namespace EdgeGateway.Tests.Aggregation;

public class CounterReadingTests
{
    [Theory]
    [InlineData(RegisterType.UInt16, 0xFFFFUL, "655.35")]
    [InlineData(RegisterType.Int16, 0xFFFFUL, "-0.01")]
    [InlineData(RegisterType.UInt32, 0xFFFFFFFFUL, "42949672.95")]
    [InlineData(RegisterType.Int32, 0xFFFFFFFEUL, "-0.02")]
    [InlineData(RegisterType.Int64, 0xFFFFFFFFFFFFFFFFUL, "-0.01")]
    [InlineData(RegisterType.UInt64, 123456789012UL, "1234567890.12")]
    [InlineData(RegisterType.Float32, 0x43663333UL, "2.30199996948242")] // 230.2 as a float32, to 15 digits, times 0.01
    public void A_reading_is_raw_times_scale(RegisterType type, ulong raw, string expected)
    {
        Assert.True(CounterReading.TryOf(TestSite.Encoding(type, 0.01m), raw, out var reading));
        Assert.Equal(decimal.Parse(expected), reading, 12);
    }

    [Theory]
    [InlineData(RegisterType.UInt64, ulong.MaxValue)]
    [InlineData(RegisterType.Float32, 0x7FC00000UL)]
    [InlineData(RegisterType.Float32, 0x7F7FFFFFUL)]
    [InlineData(RegisterType.Float64, 0x7FF0000000000000UL)]
    [InlineData(RegisterType.Float64, 0x7FEFFFFFFFFFFFFFUL)]
    public void What_is_no_number_or_beyond_belief_is_no_reading(RegisterType type, ulong raw) =>
        Assert.False(CounterReading.TryOf(TestSite.Encoding(type), raw, out _));
}
