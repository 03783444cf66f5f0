using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("ChatblockTests")]
