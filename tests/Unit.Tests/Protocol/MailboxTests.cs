using Microsoft.Extensions.Time.Testing;
using Microsoft.Win32.SafeHandles;
using ProcessPool.Protocol;
using ProcessPool.Unit.Tests.Host;
using ProcessPool.Workers;

namespace ProcessPool.Unit.Tests.Protocol;

/// <summary>Large attachments beside the channel. The other side may be hostile.</summary>
public sealed class MailboxTests : IDisposable
{
    private const int Capacity = 4 * Mailbox.Threshold;

    private readonly SafeFileHandle _memory = File.OpenHandle(
        Path.Combine(Path.GetTempPath(), $"mailbox-{Guid.NewGuid():N}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, FileOptions.DeleteOnClose);

    private readonly Mailbox _host;
    private readonly Mailbox _sandbox;

    public MailboxTests()
    {
        RandomAccess.SetLength(_memory, Mailbox.BytesFor(Capacity));
        (_host, _sandbox) = (Mailbox.OfHost(_memory, Capacity), Mailbox.OfSandbox(_memory, Capacity)!);
    }

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void What_is_put_on_one_side_is_taken_on_the_other_in_its_order_and_small_ones_stay_in_the_message()
    {
        ReadOnlyMemory<byte>[] sent = [Bytes(1), Bytes(Mailbox.Threshold), Bytes(0), Bytes(Mailbox.Threshold + 7), Bytes(3)];
        foreach (var (from, to) in new[] { (_host, _sandbox), (_sandbox, _host) })
        {
            var (inMessage, lengths) = from.Put(sent);
            Assert.Equal([1, 0, 3], inMessage.Select(attachment => attachment.Length));
            var taken = to.Take(inMessage, lengths);
            Assert.Equal(sent.Length, taken.Length);
            Assert.All(sent.Zip(taken), pair => Assert.True(pair.First.Span.SequenceEqual(pair.Second.Span), "Expected the bytes that were sent."));
        }
    }

    [Fact]
    public void Both_directions_are_in_use_at_a_time()
    {
        var (_, there) = _host.Put([Bytes(Mailbox.Threshold, 1)]);
        var (_, back) = _sandbox.Put([Bytes(Mailbox.Threshold, 2)]);
        Assert.Equal((byte)1, _sandbox.Take([], there)[0].Span[9]);
        Assert.Equal((byte)2, _host.Take([], back)[0].Span[9]);
    }

    [Fact]
    public void What_finds_no_room_stays_in_the_message()
    {
        var (inMessage, lengths) = _host.Put([Bytes(Capacity - Mailbox.Threshold + 1), Bytes(Mailbox.Threshold)]);
        Assert.Equal([Mailbox.Threshold], inMessage.Select(attachment => attachment.Length));
        Assert.Equal([Capacity - Mailbox.Threshold + 1, -1], lengths);
    }

    [Fact]
    public void Where_it_cannot_be_written_everything_stays_in_the_message()
    {
        using var readOnly = File.OpenHandle("/proc/self/exe", FileMode.Open, FileAccess.Read);
        ReadOnlyMemory<byte>[] sent = [Bytes(Mailbox.Threshold)];
        Assert.SkipUnless(OperatingSystem.IsLinux(), "There is no /proc here.");
        var (inMessage, lengths) = Mailbox.OfHost(readOnly, Capacity).Put(sent);
        Assert.Same(sent, inMessage);
        Assert.Empty(lengths);
    }

    [Theory]
    [InlineData(new[] { -2 })]
    [InlineData(new[] { int.MinValue })]
    [InlineData(new[] { Capacity + 1 })]
    [InlineData(new[] { Capacity, 1 })]
    [InlineData(new[] { 0 })]
    [InlineData(new[] { Mailbox.Threshold - 1 })]
    [InlineData(new[] { Mailbox.Threshold, Mailbox.Threshold, Mailbox.Threshold, Mailbox.Threshold, Mailbox.Threshold })]
    [InlineData(new[] { -1 })]
    [InlineData(new[] { int.MaxValue, int.MaxValue })]
    public void Lengths_that_cannot_be_are_refused(int[] lengths) => Assert.Throws<InvalidDataException>(() => _host.Take([], lengths));

    [Fact]
    public void An_attachment_that_no_length_is_for_is_refused() => Assert.Throws<InvalidDataException>(() => _host.Take([Bytes(1), Bytes(1)], [-1]));

    [Fact]
    public void Memory_without_room_for_a_mailbox_has_none() => Assert.Null(Mailbox.OfSandbox(_memory, Capacity + 1));

    [Fact]
    public async Task What_large_messages_took_is_given_back_when_none_came_for_a_while_but_never_under_a_call()
    {
        var time = new FakeTimeProvider();
        var emptied = 0;
        using var mailbox = new HostMailbox(_host, () => emptied++, time);
        mailbox.Enter();
        var request = await mailbox.PutAsync(Some.Call().Request with { Attachments = [Bytes(Mailbox.Threshold)] });
        Assert.Equal([Mailbox.Threshold], request.InMailbox);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, emptied);
        mailbox.Leave();
        mailbox.Enter();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, emptied);
        mailbox.Leave();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, emptied);
        mailbox.Enter();
        mailbox.Leave();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(1, emptied);
    }

    private static byte[] Bytes(int count, byte value = 5)
    {
        var bytes = new byte[count];
        bytes.AsSpan().Fill(value);
        return bytes;
    }
}
