namespace Chatblock
{
    /// <summary>
    /// Signatures with which players log in. A client signs its own calls; this is for handing signatures out. Keys and
    /// signatures are secrets: do not log them.
    /// </summary>
    public static unsafe class UserSig
    {
        /// <summary>Makes a signature.</summary>
        /// <param name="sdkappid">The app; not 0.</param>
        /// <param name="secretKey">The app's secret key, used as text; not kept.</param>
        /// <param name="identifier">The user, 1 to 32 bytes.</param>
        /// <param name="expireSeconds">Its life in seconds, at most 50 years (1,576,800,000).</param>
        /// <exception cref="ChatblockException">Argument; the message says which.</exception>
        public static string Generate(uint sdkappid, string secretKey, string identifier, uint expireSeconds)
        {
            using (var key = new Texts(nameof(secretKey), secretKey))
            using (var user = new Texts(nameof(identifier), identifier))
            using (var made = Library.chatblock_usersig_generate(sdkappid, key.First, user.First, expireSeconds))
            {
                made.Done();
                return made.UserSig;
            }
        }

        /// <summary>Verifies a signature at the present time; returns when it is good.</summary>
        /// <param name="sdkappid">The app it should be for; not 0.</param>
        /// <param name="secretKey">The app's secret key, used as text; not kept.</param>
        /// <param name="identifier">The user it should be for.</param>
        /// <param name="usersig">The signature.</param>
        /// <exception cref="ChatblockException">
        /// Signature, with service code 70003 (not a signature), 70014 (other app), 70013 (other user), 70001 (expired)
        /// or 70009 (other key).
        /// </exception>
        public static void Verify(uint sdkappid, string secretKey, string identifier, string usersig)
        {
            using (var key = new Texts(nameof(secretKey), secretKey))
            using (var user = new Texts(nameof(identifier), identifier))
            using (var signature = new Texts(nameof(usersig), usersig))
            using (var verified = Library.chatblock_usersig_verify(sdkappid, key.First, user.First, signature.First))
            {
                verified.Done();
            }
        }
    }
}
