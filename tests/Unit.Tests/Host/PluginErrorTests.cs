using ProcessPool.Protocol;

namespace ProcessPool.Unit.Tests.Host;

public sealed class PluginErrorTests
{
    [Fact]
    public void What_a_terminal_would_obey_is_not_in_a_plugins_error()
    {
        var error = PluginError.From(new RemoteError("\u001b]0;Type", "\u001b[31mred\u009b\r\n\tline", "at\bstack", null));
        Assert.Equal((" ]0;Type", " [31mred  \n\tline", "at stack"), (error.Type, error.Message, error.StackTrace));
    }
}
