using System.Net;
using System.Runtime.InteropServices;
using ProcessPool.TestKit;

namespace ProcessPool.Process.Tests.Samples;

/// <summary>The sample that sells: a web service whose native library crashes, and which does not.</summary>
public sealed partial class ThumbnailServiceTests
{
    [Fact]
    public async Task Every_request_is_answered_while_the_native_library_crashes()
    {
        using var sample = Sample.Start("ThumbnailService", "--urls", "http://127.0.0.1:0");
        var listening = await sample.LineAsync(line => line.Contains("Now listening on:", StringComparison.Ordinal), "the service listens");
        using var client = new HttpClient { BaseAddress = new Uri(listening[listening.IndexOf("http", StringComparison.Ordinal)..].Trim()) };

        using (var thumbnail = await PostAsync("/thumbnails?size=200", Images.TransparentPixel))
        {
            Assert.Equal((HttpStatusCode.OK, "image/png"), (thumbnail.StatusCode, thumbnail.Content.Headers.ContentType!.MediaType));
            Assert.True(Images.IsPng(await thumbnail.Content.ReadAsByteArrayAsync()), "Expected a thumbnail.");
        }

        using (var noImage = await PostAsync("/thumbnails?size=200", [1, 2, 3]))
        {
            Assert.Equal(HttpStatusCode.UnprocessableEntity, noImage.StatusCode);
        }

        using (var noSize = await PostAsync("/thumbnails", [1, 2, 3]))
        {
            Assert.Equal(HttpStatusCode.BadRequest, noSize.StatusCode);
        }

        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(number => PostAsync(number % 10 == 5 ? "/crash" : "/thumbnails?size=200", Images.TransparentPixel)));
        Assert.Equal(27, answers.Count(answer => answer.StatusCode == HttpStatusCode.OK));
        foreach (var crash in answers.Where(answer => answer.StatusCode != HttpStatusCode.OK))
        {
            Assert.Equal(HttpStatusCode.BadGateway, crash.StatusCode);
            Assert.Contains("SIGSEGV", await crash.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Array.ForEach(answers, answer => answer.Dispose());
        Assert.Equal("Healthy", await HealthyAsync());

        Assert.Equal(0, Kill(sample.ProcessId, 15));
        Assert.Equal(0, (await sample.EndAsync()).ExitCode);

        async Task<HttpResponseMessage> PostAsync(string path, byte[] body)
        {
            using var content = new ByteArrayContent(body);
            return await client.PostAsync(path, content).Within($"{path} is answered");
        }

        async Task<string> HealthyAsync()
        {
            var health = "";
            await Until.HoldsAsync(() => (health = client.GetStringAsync("/health").GetAwaiter().GetResult()) == "Healthy", "the service is healthy again");
            return health;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int processId, int signal);
}
