// What a device has to know to compare Chinese names as the server does: how common characters
// of names are read, which traditional characters they stand for, which surnames sound alike.
// tests/web/door/test_search.py compares it with eventreg/core/values.

// Each syllable with its characters.
const READ = (
  "a阿 ai艾爱 an安 ao敖 ba巴爸 bai柏白 ban班 bao鲍包暴薄宝堡保葆豹报 bei贝蓓北 ben贲 bi毕 " +
  "bian卞边 bie别 bin斌彬 bing邴 bo卜波博伯 bu步 cai蔡财才彩 cang苍 cao曹草 cen岑 cha查 " +
  "chai柴 chang昌常长 chao晁巢朝超 che车 chen陈晨辰 cheng成程城诚 chi池迟 chong充冲 chou仇 " +
  "chu褚储 chuan川 chun春 cong从 cui崔翠脆催 da大达 dai戴 dan单 dang党 de德 deng邓 " +
  "di狄翟娣地弟迪 diao刁 ding丁定顶鼎订 dong董东冬动 dou窦都 du杜堵 duan段 dui兑 duo多 " +
  "e鄂娥鹅峨 er儿 fa发 fan范樊繁 fang方房芳防坊放仿访 fei费飞菲 fen芬分纷粉奋份 " +
  "feng冯凤酆封丰峰锋 fu傅伏富符扶福芙服夫付 gai盖 gan干甘 gang刚钢 gao高郜 ge葛戈哥 " +
  "gen根艮跟 geng耿庚耕 gong龚弓宫贡巩公功 gou勾 gu顾谷古姑 guan管关官 guang广光 " +
  "gui桂贵瑰归圭闺规轨 guo郭国果过锅 hai海 han韩阚瀚 hang杭 hao郝浩 he何贺和荷河鹤合禾 hei黑 " +
  "heng衡恒亨 hong洪弘红鸿宏虹 hou侯后厚 hu胡扈虎湖户护互沪壶狐 hua华花滑画化桦划 huai怀 " +
  "huan宦桓欢 huang黄 hui惠辉慧蕙 huo霍 ji计纪季吉嵇汲蓟籍姬冀暨绩 jia贾家郏嘉佳 " +
  "jian简健建俭剑见间坚鉴荐 jiang蒋姜江 jiao焦娇姣骄教蛟 jie解界姐婕 jin金靳锦瑾进 " +
  "jing经井景荆静婧 jiu久 ju居鞠菊 juan娟绢捐涓鹃 jun俊军钧骏均君峻隽浚 kai凯开 kan坎 " +
  "kang康慷抗 ke柯 kong孔空 kou寇 kuan宽 kuang匡 kui隗夔 kun坤 la拉 lai赖来 lan蓝兰 lang郎 " +
  "lao劳 le乐 lei雷磊蕾 leng冷 li李厉黎郦利励丽礼立力离莉历理里俐 lian廉连莲联涟恋 " +
  "liang梁亮良粮谅量 liao廖 lin林蔺琳霖临邻磷麟凛 ling凌玲铃令 liu柳刘 long龙隆珑 lou娄 " +
  "lu鲁路卢陆禄逯露璐 luan栾 luo罗骆 lv吕绿律 ma马麻妈 mai买 man满 mao毛茅茂 " +
  "mei梅妹美眉媒枚每 meng孟蒙 mi米糜宓 miao苗 min闵民敏 ming明铭鸣名茗命 mo莫模 mou缪 " +
  "mu穆牧慕木 na那娜 nai奶 nan囡南男 neng能 ni倪妮霓 nian年 niang娘 nie聂 ning宁 niu钮牛 " +
  "nong农 nv女 ou欧 pan潘 pang庞逄 pei裴培 peng彭蓬鹏朋 pi皮 pin品 ping平苹萍 pu蒲濮浦朴 " +
  "qi戚齐祁琪气启俟 qian钱茜前倩乾 qiang强墙抢 qiao乔桥侨巧俏 qin秦琴芹勤禽沁钦亲 qing庆清青 " +
  "qiong琼 qiu邱裘秋 qu屈曲璩瞿区 quan全权泉 que阙 ran冉 rao饶 ren任仁 ri日 rong荣戎容融蓉 " +
  "ru茹 ruan阮 rui芮瑞 san三 sang桑 sen森 sha沙 shan山善姗 shang尚上 shao邵韶少 " +
  "shen沈莘申慎深 sheng盛生胜声升圣绳省 shi施史时石师诗世示 shou寿 shu舒束殳淑书叔姝 " +
  "shuang双霜 shui水睡税 shun顺 si司思 song宋松 su苏宿素 sui岁 sun孙 suo索 tai邰泰 tan谈谭覃 " +
  "tang唐汤堂 tao陶桃涛 teng滕 ti提 tian田天 tie铁 ting婷庭 tong童通仝桐铜 tou钭 tu屠土 " +
  "wan万婉 wang王汪旺望忘往网 wei卫魏韦危蔚伟薇为尉 wen闻温文 weng翁 wo沃 " +
  "wu吴邬伍巫乌武毋五午舞务物雾悟误 xi奚席郗习曦西喜 xia夏霞 xian咸仙娴先鲜贤闲弦 " +
  "xiang项向相香祥翔乡湘想响象 xiao萧晓小孝 xie谢 xin辛忻新鑫信心 xing邢幸星兴杏行性姓形型 " +
  "xiong熊 xiu秀修绣袖岫 xu许徐胥须 xuan宣旋 xue薛雪学 xun荀巽 ya亚 yan严颜燕晏阎岩雁妍嫣艳 " +
  "yang杨羊仰养阳样 yao姚瑶 ye叶爷业 yi羿伊易益毅义意怡仪 yin殷尹印阴银音胤引隐因吟寅 " +
  "ying应英瑛莹颖莺影映迎营赢盈硬缨樱鹰 yong雍勇永 you尤游友有 yu喻俞于余禹虞郁鱼庾玉瑜裕宇 " +
  "yuan袁元远圆媛 yue越月悦岳 yun云芸韵 zai宰 zan昝 zang臧 zeng曾 zhan湛詹展 " +
  "zhang张章彰掌丈涨帐 zhao赵招 zhen甄珍贞震真针振阵镇 zheng郑正 " +
  "zhi支志芝芷智制治至致置质枝之知织 zhong钟仲终中忠 zhou周宙 zhu朱祝诸竺珠竹猪主柱助 " +
  "zhuang庄 zhuo卓 zi紫子 zong宗 zou邹 zu祖 zuo左作 "
);

// Characters that are read differently as a surname.
const SURNAMES = (
  "乐yue 仇qiu 区ou 单shan 卜bu 朴piao 查zha 盖ge 繁po 缪miao 翟zhai 能nai 覃qin 解xie 都du " +
  "长zhang 阚kan 隗wei 黑he "
);

// Surnames of two characters.
const COMPOUND = (
  "欧阳ouyang 司马sima 上官shangguan 诸葛zhuge 司徒situ 夏侯xiahou 尉迟yuchi 万俟moqi " +
  "长孙zhangsun 皇甫huangfu 令狐linghu 慕容murong 东方dongfang 公孙gongsun 宇文yuwen " +
  "端木duanmu 轩辕xuanyuan 南宫nangong 独孤dugu 澹台tantai 单于chanyu 呼延huyan 闻人wenren " +
  "钟离zhongli 东郭dongguo 西门ximen 濮阳puyang 淳于chunyu 申屠shentu 赫连helian 鲜于xianyu " +
  "闾丘lvqiu 司空sikong 司寇sikou 百里baili 拓跋tuoba 完颜wanyan 纳兰nalan 公羊gongyang " +
  "谷梁guliang 宗政zongzheng 公冶gongye "
);

// A traditional character, then the simplified one.
const PAIRS = (
  "亞亚來来偉伟傢家僑侨儀仪儉俭儲储兌兑兒儿兪俞凜凛凱凯別别剛刚劃划劉刘劍剑動动務务勝胜勞劳" +
  "勵励區区厲厉吳吴呂吕啓启啟启喬乔單单嚴严國国圓圆堅坚報报壺壶壽寿奮奋姍姗姸妍婁娄媽妈嫺娴" +
  "嫻娴嬌娇孫孙學学宮宫寧宁寬宽寶宝峯峰師师帳帐幹干廣广張张強强從从恆恒悅悦愛爱愼慎慶庆應应" +
  "懞蒙懷怀戀恋戶户搶抢敎教於于昇升時时暎映曆历曉晓曏向書书東东栢柏楊杨業业榮荣樂乐樣样樸朴" +
  "樺桦橋桥櫻樱權权欒栾欽钦歐欧歡欢歲岁歷历歸归氣气沖冲淸清湯汤溫温滬沪滿满漣涟漲涨濛蒙濤涛" +
  "濬浚瀋沈為为烏乌營营爺爷牆墙瑤瑶瑩莹瓊琼瓏珑甯宁畢毕畫画發发盧卢眞真矇蒙硃朱祿禄禮礼稅税" +
  "穀谷穎颖竇窦範范簡简糧粮紀纪紅红紛纷終终絹绢綉绣經经綠绿網网緻致績绩繆缪織织繡绣繩绳纓缨" +
  "纔才羅罗義义習习聖圣聞闻聯联聲声聶聂臨临興兴艷艳荊荆莊庄華华萬万葉叶蒼苍蓋盖蓮莲蔔卜蔣蒋" +
  "蕓芸蕭萧薊蓟薑姜薦荐藍蓝藺蔺蘇苏蘋苹蘭兰衚胡衛卫衝冲衞卫裏里裡里製制見见規规親亲訂订計计" +
  "訪访許许詩诗誌志誠诚誤误談谈諒谅諸诸謝谢譚谭護护豐丰豬猪貝贝貞贞財财貢贡貴贵買买費费賀贺" +
  "賁贲賈贾賢贤質质賴赖贏赢趙赵車车軌轨軍军輝辉農农連连進进過过達达遠远遲迟邊边郟郏鄉乡鄒邹" +
  "鄔邬鄧邓鄭郑鄰邻酈郦針针鈄钭鈕钮鈞钧鈴铃銀银銅铜銘铭鋒锋鋼钢錢钱錦锦鍋锅鍾钟鎮镇鏇旋鐘钟" +
  "鐵铁鑑鉴鑒鉴長长開开閑闲閒闲間间閔闵閤合閨闺閻阎闕阙關关闞阚陣阵陰阴陳陈陸陆陽阳隱隐雋隽" +
  "雙双離离雲云霧雾靑青靜静鞏巩鞦秋韋韦韓韩韻韵響响頂顶項项順顺須须顏颜顧顾飛飞養养餘余饒饶" +
  "馬马馮冯駱骆駿骏驕骄髮发鬆松鬍胡鬚须鬱郁魚鱼魯鲁鮑鲍鮮鲜鳳凤鳴鸣鴻鸿鵑鹃鵝鹅鵬鹏鶯莺鶴鹤" +
  "鷹鹰鹹咸麗丽黃黄黨党鼕冬齊齐龍龙龐庞龔龚"
);

const given = {};
READ.trim().split(" ").forEach(one => {
  const [, syllable, characters] = /^([a-z]+)(.+)$/.exec(one);
  Array.from(characters).forEach(c => { given[c] = syllable; });
});
const surnames = {};
(SURNAMES + COMPOUND).trim().split(" ").forEach(one => {
  const [, characters, syllable] = /^([^a-z]+)([a-z]+)$/.exec(one);
  surnames[characters] = syllable;
});
const simple = {};
Array.from(PAIRS).forEach((c, i, all) => { if (i % 2) simple[all[i - 1]] = c; });

// These sound alike in the dialect of the coast, or where it is noisy.
export const ALIKE = [
  "wang huang", "wu hu he", "chen cheng", "lin ling", "jin jing", "shen sheng", "xin xing",
  "yin ying", "zhang zang", "xu xue", "shi si", "zhu zu", "lu lv",
].map(group => group.split(" "));

// The text in simplified characters.
export function simplified(text) {
  return Array.from(text, c => simple[c] || c).join("");
}

// How a given name is read, in syllables; null if a character is not known.
export function givenRead(text) {
  const read = Array.from(text, c => given[c] || (/[a-z]/.test(c) ? c : ""));
  return read.every(Boolean) ? read : null;
}

// How a name is read: [surname, given name], or null.
export function nameRead(text) {
  const two = text.length > 2 ? surnames[text.slice(0, 2)] : undefined;
  const surname = two || surnames[text[0]] || given[text[0]];
  const rest = givenRead(text.slice(two ? 2 : 1));
  return surname && rest ? [surname, rest.join("")] : null;
}
